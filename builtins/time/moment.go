package time

import (
	"fmt"
	"time"

	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

var nowBuiltin = runtime.Define(runtime.Builtin{
	Name: "time.now", Returns: "time.time", Doc: "Returns the present moment, in the machine's time zone.",
}, func(*runtime.Call, struct{}) (starlark.Value, error) {
	return startime.Time(time.Now()), nil
})

type parseArgs struct {
	Text     string `arg:"text" doc:"the text, by default such as 2006-01-02T15:04:05Z"`
	Format   string `arg:"format" default:"2006-01-02T15:04:05Z07:00" doc:"how Monday, 2 January 2006, 15:04:05 would be written (Go's time.Layout)"`
	Location string `arg:"location" default:"UTC" doc:"the time zone of a text that names none, such as Europe/Zurich"`
}

var parseBuiltin = runtime.Define(runtime.Builtin{
	Name: "time.parse", Pure: true, Returns: "time.time", Doc: "Reads the moment that a text names.",
	Example: `time.parse("2024-03-01", format = "2006-01-02")`,
}, func(_ *runtime.Call, a parseArgs) (starlark.Value, error) {
	zone, err := time.LoadLocation(a.Location)
	if err != nil {
		return nil, err
	}
	t, err := time.ParseInLocation(a.Format, a.Text, zone)
	return startime.Time(t), err
})

type formatArgs struct {
	T      starlark.Value `arg:"t" doc:"a time.time"`
	Layout string         `arg:"layout" default:"2006-01-02T15:04:05Z07:00" doc:"how Monday, 2 January 2006, 15:04:05 would be written (Go's time.Layout)"`
}

var formatBuiltin = runtime.Define(runtime.Builtin{
	Name: "time.format", Pure: true, Returns: "string", Doc: "Writes a moment as a text.",
	Example: `time.format(time.now(), "20060102-150405")`,
}, func(_ *runtime.Call, a formatArgs) (starlark.Value, error) {
	t, ok := a.T.(startime.Time)
	if !ok {
		return nil, fmt.Errorf("for parameter t: got %s, want time.time", a.T.Type())
	}
	return starlark.String(time.Time(t).Format(a.Layout)), nil
})

type timeArgs struct {
	Year       int    `arg:"year" default:"0" doc:"the year"`
	Month      int    `arg:"month" default:"0" doc:"the month, from 1"`
	Day        int    `arg:"day" default:"0" doc:"the day of the month, from 1"`
	Hour       int    `arg:"hour" default:"0" doc:"the hour"`
	Minute     int    `arg:"minute" default:"0" doc:"the minute"`
	Second     int    `arg:"second" default:"0" doc:"the second"`
	Nanosecond int    `arg:"nanosecond" default:"0" doc:"the nanosecond"`
	Location   string `arg:"location" default:"UTC" doc:"the time zone, such as Europe/Zurich"`
}

var timeBuiltin = runtime.Define(runtime.Builtin{
	Name: "time.time", Pure: true, Returns: "time.time",
	Doc: "Makes the moment of a date. What is beyond a month or a day is carried over: 32 October is 1 November.",
}, func(_ *runtime.Call, a timeArgs) (starlark.Value, error) {
	zone, err := time.LoadLocation(a.Location)
	if err != nil {
		return nil, err
	}
	t := time.Date(a.Year, time.Month(a.Month), a.Day, a.Hour, a.Minute, a.Second, a.Nanosecond, zone)
	return startime.Time(t), nil
})

type timestampArgs struct {
	Sec  int64 `arg:"sec" doc:"seconds since 1 January 1970, UTC"`
	Nsec int64 `arg:"nsec" default:"0" doc:"nanoseconds beyond that"`
}

var fromTimestampBuiltin = runtime.Define(runtime.Builtin{
	Name: "time.from_timestamp", Pure: true, Returns: "time.time", Doc: "Returns the moment of a Unix time.",
	Example: `time.from_timestamp(fs.stat(path).mtime)`,
}, func(_ *runtime.Call, a timestampArgs) (starlark.Value, error) {
	return startime.Time(time.Unix(a.Sec, a.Nsec)), nil
})

type zoneArgs struct {
	Location string `arg:"location" doc:"a name, such as Europe/Zurich"`
}

var validBuiltin = runtime.Define(runtime.Builtin{
	Name: "time.is_valid_timezone", Returns: "bool",
	Doc: "Reports whether the machine knows a time zone.",
}, func(_ *runtime.Call, a zoneArgs) (starlark.Value, error) {
	_, err := time.LoadLocation(a.Location)
	return starlark.Bool(err == nil), nil
})
