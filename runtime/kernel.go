package runtime

import (
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/runtime/events"
)

var processors = goruntime.GOMAXPROCS(0)

// kernelFamilies are the builtins that need the run itself: what calls functions of the recipe.
func kernelFamilies() []*Family {
	return []*Family{globalFamily(), paramFamily(), runFamily(), rollbackFamily()}
}

func globalFamily() *Family {
	return &Family{
		Name: "",
		Doc:  "Builtins without a family.",
		Builtins: []*Builtin{
			Define(Builtin{
				Name: "attempt", Pure: true, passesOn: true,
				Doc: "Calls a function and returns its failure as a value. It never swallows a cancellation, a refusal " +
					"by policy, a spent budget or a guess in a preview.",
				Returns: "struct(ok, value, error)",
				Example: `answer = attempt(exec.run, ["systemctl", "is-system-running"], read_only = True)`,
			}, attempt),
			Define(Builtin{
				Name: "parallel", passesOn: true,
				Doc: "Runs functions side by side, each in a thread of its own, and returns their values in order. When one " +
					"fails the others are stopped. The functions, what they enclose and their arguments are frozen: none can " +
					"change what another one sees. A preview runs them one after the other.",
				Returns: "list",
				Example: `parallel([(build, name) for name in services], limit = 2)`,
			}, parallel),
		},
		Constants: starlark.StringDict{
			"struct": starlark.NewBuiltin("struct", starlarkstruct.Make),
		},
	}
}

type stepArgs struct {
	Title string            `arg:"title" doc:"what the operator reads"`
	Fn    starlark.Callable `arg:"fn" doc:"the function to call"`
	List  *starlark.List    `arg:"args" default:"" doc:"its arguments"`
	Name  string            `arg:"name" default:"" doc:"the name by which site files know the step"`
	Index int               `arg:"index" default:"0" doc:"its number, from 1; 0: not numbered"`
	Total int               `arg:"total" default:"0" doc:"how many steps there are"`
}

// step calls a function as a titled step: its events carry the step, and its time is taken.
func step(c *Call, a stepArgs) (starlark.Value, error) {
	t := c.task
	outer := t.step
	defer func() { t.step = outer }()
	if a.Name == "" {
		a.Name = a.Title
	}
	var args starlark.Tuple
	if a.List != nil {
		args = slices.Collect(starlark.Elements(a.List))
	}
	t.step = &events.Step{Name: a.Name, Title: a.Title, Index: a.Index, Total: a.Total}
	t.emit(events.Event{Kind: events.StepStarted})
	begin := time.Now()
	v, err := call(c.Thread, a.Fn, args, nil)
	e := events.Event{Kind: events.StepFinished, Duration: time.Since(begin)}
	var inner *stepError
	if err != nil {
		e.Error = message(err)
		if !errors.As(err, &inner) {
			err = &stepError{t.step, err}
		}
	}
	t.emit(e)
	return v, err
}

// stepError says which step an error ended, the innermost one.
type stepError struct {
	step *events.Step
	err  error
}

func (e *stepError) Error() string { return message(e.err) }
func (e *stepError) Unwrap() error { return e.err }

type checkArgs struct {
	Name     string `arg:"name" doc:"the check's name"`
	OK       bool   `arg:"ok" doc:"whether it passed"`
	Group    string `arg:"group" default:"health" doc:"preflight or health"`
	Weight   Number `arg:"weight" default:"1" doc:"its part of the score"`
	Required bool   `arg:"required" default:"false" doc:"whether the score counts at all without it"`
	Assumed  bool   `arg:"assumed" default:"false" doc:"whether a preview took it for granted"`
	Detail   string `arg:"detail" default:"" doc:"what was found"`
	Hint     string `arg:"hint" default:"" doc:"what to do about it"`
}

type scoreArgs struct {
	Percent   Number `arg:"percent" doc:"the score, 0 to 100"`
	Threshold Number `arg:"threshold" doc:"what it must reach"`
	OK        bool   `arg:"ok" doc:"whether it is enough"`
	Group     string `arg:"group" default:"health" doc:"preflight or health"`
	Detail    string `arg:"detail" default:"" doc:"why not"`
}

type assumeArgs struct {
	Text string `arg:"text" doc:"what is taken for granted"`
}

func runFamily() *Family {
	return &Family{
		Name: "run",
		Doc: "The run itself: what the standard library builds steps, checks and reports from. Recipes rather use " +
			"@stdlib//flow.star and @stdlib//checks.star.\n\n" +
			"main receives it as ctx, with ctx.params, the values of PARAMS; ctx.recipe, the recipe's name; ctx.cwd, the " +
			"directory in which infrarun was started; ctx.run_id, \"preview\" in a preview and \"look\" in a look; ctx.site, the site file's module or " +
			"None; and ctx.cache_dir, a directory of infrarun's own in which commands may keep what makes the next build " +
			"quicker, such as GOCACHE. It is there when a run begins, stays after a rollback, and needs no permission; only " +
			"the user who runs infrarun can get at it. Where PERMISSIONS is a function, its ctx has no run_id and cache_dir yet: " +
			"they are empty.\n\n" +
			"A recipe that declares LOOKS = True at its top level, or def LOOKS(ctx) that returns True, only looks: a call that " +
			"would change something, even to what is there already, is an error. It is executed with --dry-run, too, waits for what " +
			"it waits for, and is no run: it needs no lock, goes on beside a run, and nothing of it is recorded. LOOKS is as pure " +
			"as PERMISSIONS and its ctx is the same.",
		Builtins: []*Builtin{
			Define(Builtin{Name: "run.step", Returns: "what the function returns", passesOn: true,
				Doc: "Calls a function as a step: titled, numbered and timed."}, step),
			Define(Builtin{Name: "run.check", Doc: "Reports the result of a check."},
				func(c *Call, a checkArgs) (starlark.Value, error) {
					if a.Weight < 0 {
						return nil, fmt.Errorf("weight of %s is negative", a.Name)
					}
					if a.Assumed {
						c.task.run.counts.assumed.Add(1)
					}
					c.Emit(events.Event{Kind: events.Checked, Position: c.Position(), Check: &events.Check{
						Name: a.Name, Group: a.Group, OK: a.OK, Required: a.Required, Weight: float64(a.Weight),
						Assumed: a.Assumed, Detail: a.Detail, Hint: a.Hint,
					}})
					return nil, nil
				}),
			Define(Builtin{Name: "run.score", Doc: "Reports the score of a group of checks."},
				func(c *Call, a scoreArgs) (starlark.Value, error) {
					c.Emit(events.Event{Kind: events.Scored, Score: &events.Score{
						Group: a.Group, Percent: float64(a.Percent), Threshold: float64(a.Threshold), OK: a.OK, Detail: a.Detail,
					}})
					return nil, nil
				}),
			Define(Builtin{Name: "run.fail",
				Doc: "Ends the run as fail does, with something that was found out: about the machine, or about what the operator " +
					"asked for. The message and the hint are shown without the place in the recipe, which is kept in the log; " +
					"fail is for a mistake in the use of a function. attempt catches both, and has the message as the error.",
				Example: `run.fail("there is no deployment in " + dir, hint = "infrarun recipes/deploy.star makes one")`,
			}, failRun),
			Define(Builtin{Name: "run.assume", Returns: "True in a preview",
				Doc: "Takes something for granted in a preview, listed as such at its end; does nothing in a run or a look. It returns " +
					"whether it did, so that a wait can be left out.",
				Example: `if run.assume("the service becomes healthy"):` + "\n    return",
			}, func(c *Call, a assumeArgs) (starlark.Value, error) {
				if c.Preview() {
					c.Assume("%s", a.Text)
				}
				return starlark.Bool(c.Preview()), nil
			}),
		},
	}
}
