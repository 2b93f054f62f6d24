package events

import "reflect"

// redacted returns a copy of the event in which every string went through clean. It walks the fields
// by reflection so that a field added later cannot be forgotten.
//
// A string type of this package (a [Kind], [Mode], [Status] or [Result]) is one of its own words, not
// text from outside: a secret that reads "done" must not turn one into another.
func redacted(e Event, clean func(string) string) Event {
	return cleaned(reflect.ValueOf(e), clean).Interface().(Event)
}

var stringType = reflect.TypeFor[string]()

func cleaned(v reflect.Value, clean func(string) string) reflect.Value {
	switch v.Kind() {
	case reflect.String:
		if v.Type() != stringType {
			return v
		}
		return reflect.ValueOf(clean(v.String()))
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		c := reflect.New(v.Type().Elem())
		c.Elem().Set(cleaned(v.Elem(), clean))
		return c
	case reflect.Struct:
		c := reflect.New(v.Type()).Elem()
		c.Set(v) // what is not exported stays as it is: time.Time lives on that
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				c.Field(i).Set(cleaned(v.Field(i), clean))
			}
		}
		return c
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			c.Index(i).Set(cleaned(v.Index(i), clean))
		}
		return c
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		c := reflect.MakeMapWithSize(v.Type(), v.Len())
		for it := v.MapRange(); it.Next(); {
			c.SetMapIndex(cleaned(it.Key(), clean), cleaned(it.Value(), clean))
		}
		return c
	}
	return v
}
