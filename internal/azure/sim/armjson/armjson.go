// Package armjson has the few moves on untyped JSON objects that a resource store needs: ARM bodies are kept as sent,
// because every API version knows fields that another does not.
package armjson

import (
	"encoding/json"
	"fmt"
)

// Object is a JSON object as encoding/json decodes it.
type Object = map[string]any

// Sub returns the object under key and creates it when it is missing or not an object.
func Sub(o Object, key string) Object {
	if v, ok := o[key].(Object); ok {
		return v
	}
	v := Object{}
	o[key] = v
	return v
}

// Get returns the object under key; nil when it is missing or not an object. Reading a nil Object is fine.
func Get(o Object, key string) Object {
	v, _ := o[key].(Object)
	return v
}

// String returns the string under key; empty when it is missing or not a string.
func String(o Object, key string) string {
	v, _ := o[key].(string)
	return v
}

// Default sets key unless it has a value. A JSON null counts as no value.
func Default(o Object, key string, value any) {
	if o[key] == nil {
		o[key] = value
	}
}

// Clone copies an object deeply by way of JSON, so that the copy holds exactly what a client would read.
func Clone(o Object) Object {
	raw, err := json.Marshal(o)
	if err != nil {
		panic(fmt.Sprintf("armjson: an object that was JSON cannot be written as JSON: %v", err))
	}
	var out Object
	if err := json.Unmarshal(raw, &out); err != nil {
		panic(fmt.Sprintf("armjson: JSON just written cannot be read: %v", err))
	}
	return out
}

// Decode reads an object into a typed value; the error names the field with the wrong type.
func Decode(o Object, into any) error {
	raw, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// DropNulls removes keys whose value is null, at all depths: ARM treats null as absent in a PUT.
func DropNulls(o Object) {
	for k, v := range o {
		switch v := v.(type) {
		case nil:
			delete(o, k)
		case Object:
			DropNulls(v)
		case []any:
			for _, e := range v {
				if m, ok := e.(Object); ok {
					DropNulls(m)
				}
			}
		}
	}
}
