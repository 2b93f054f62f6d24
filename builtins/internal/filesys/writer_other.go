//go:build !linux

package filesys

import "os"

// startWriteback is a hint that this system does not take.
func startWriteback(*os.File) {}

// renameNew renames, and fails with fs.ErrExist if there is something under the new name.
func (x *Writer) renameNew(from, to string) error { return x.renameLooking(from, to) }
