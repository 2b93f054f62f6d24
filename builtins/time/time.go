// Package time is the family of builtins for points and lengths of time. Points (time.time) and lengths
// (time.duration) are the values of Starlark's own library, with its operators: t1 - t2 is a duration, and
// t.year, t.unix, d.seconds are their parts.
//
//	time.now()                                  the present moment
//	time.parse(text, format, location)          the moment that a text names
//	time.format(t, layout)                      a moment as a text
//	time.time(year, month, day, …)              the moment of a date
//	time.from_timestamp(sec, nsec = 0)          the moment of a Unix time
//	time.duration(length)                       a length of time
//	time.is_valid_timezone(location)            whether a time zone is known
//	time.sleep(duration)                        waits; a preview does not
//	time.nanosecond … time.hour                 lengths to multiply
package time

import (
	"context"
	"time"

	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

// Family returns the builtins.
func Family() *runtime.Family {
	f := &runtime.Family{
		Name: "time",
		Doc: "Points and lengths of time. A point t has t.year … t.second, t.unix, t.format(layout) and t.in_location(name); " +
			"the difference of two points is a length d, which has d.seconds, d.minutes and d.hours.",
		Constants: starlark.StringDict{},
		Builtins: []*runtime.Builtin{
			nowBuiltin, parseBuiltin, formatBuiltin, timeBuiltin, fromTimestampBuiltin, durationBuiltin, validBuiltin, sleepBuiltin,
		},
	}
	for _, unit := range []string{"nanosecond", "microsecond", "millisecond", "second", "minute", "hour"} {
		f.Constants[unit] = startime.Module.Members[unit]
	}
	return f
}

type sleepArgs struct {
	Duration runtime.Seconds `arg:"duration" doc:"how long"`
}

var sleepBuiltin = runtime.Define(runtime.Builtin{
	Name: "time.sleep",
	Doc: "Waits. A preview does not wait, and a run that is interrupted waits no longer. To wait for something to " +
		"happen use http_check, net.wait_port or @stdlib//health.star, which go on as soon as it has.",
	Example: `time.sleep(2 * time.second)`,
}, func(c *runtime.Call, a sleepArgs) (starlark.Value, error) {
	if c.Preview() {
		return nil, nil
	}
	timer := time.NewTimer(a.Duration.Duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil, nil
	case <-c.Context().Done():
		return nil, context.Cause(c.Context())
	}
})

type durationArgs struct {
	Length runtime.Seconds `arg:"length" doc:"a number of seconds, or a text such as \"1h30m\" or \"250ms\""`
}

var durationBuiltin = runtime.Define(runtime.Builtin{
	Name: "time.duration", Pure: true, Returns: "time.duration", Doc: "Makes a length of time.",
	Example: `time.now() - time.duration("36h")`,
}, func(_ *runtime.Call, a durationArgs) (starlark.Value, error) {
	return startime.Duration(a.Length.Duration), nil
})
