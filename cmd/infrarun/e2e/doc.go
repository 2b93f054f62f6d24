// Package e2e tests the command on the bundled stack: real builds, real processes, real signals. The
// stack is a git repository that the tests make from testdata/infracore and break in various ways.
package e2e
