// Package builtins puts together what recipes can call. Each family is a package of its own below this
// one; none imports another, and only this package knows them all.
package builtins

import (
	"github.com/infrarun/infrarun/builtins/archive"
	"github.com/infrarun/infrarun/builtins/compose"
	"github.com/infrarun/infrarun/builtins/docker"
	"github.com/infrarun/infrarun/builtins/exec"
	"github.com/infrarun/infrarun/builtins/fetch"
	"github.com/infrarun/infrarun/builtins/fs"
	"github.com/infrarun/infrarun/builtins/git"
	"github.com/infrarun/infrarun/builtins/host"
	"github.com/infrarun/infrarun/builtins/http"
	"github.com/infrarun/infrarun/builtins/json"
	"github.com/infrarun/infrarun/builtins/log"
	"github.com/infrarun/infrarun/builtins/math"
	"github.com/infrarun/infrarun/builtins/net"
	"github.com/infrarun/infrarun/builtins/path"
	"github.com/infrarun/infrarun/builtins/pkg"
	"github.com/infrarun/infrarun/builtins/process"
	"github.com/infrarun/infrarun/builtins/secret"
	"github.com/infrarun/infrarun/builtins/sqlite"
	"github.com/infrarun/infrarun/builtins/stack"
	"github.com/infrarun/infrarun/builtins/systemd"
	"github.com/infrarun/infrarun/builtins/text"
	"github.com/infrarun/infrarun/builtins/time"
	"github.com/infrarun/infrarun/builtins/ui"
	"github.com/infrarun/infrarun/builtins/user"
	"github.com/infrarun/infrarun/builtins/yaml"
	"github.com/infrarun/infrarun/runtime"
)

// All returns every family, in the order in which the documentation shows them.
func All() []*runtime.Family {
	return []*runtime.Family{
		fs.Family(), exec.Family(), process.Family(), systemd.Family(), pkg.Family(), user.Family(),
		docker.Family(), compose.Family(), stack.Family(),
		git.Family(), fetch.Family(), archive.Family(), sqlite.Family(),
		host.Family(), net.Family(), http.Family(),
		secret.Family(), log.Family(), ui.Family(),
		json.Family(), yaml.Family(), text.Family(), path.Family(), time.Family(), math.Family(),
	}
}
