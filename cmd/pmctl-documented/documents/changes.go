package documents

import (
	"maps"
	"slices"
	"strings"
)

// change is a field that gets another name, or a value of another type.
type change struct {
	what  string
	apply func(document any)
}

// named are objects whose fields are names and no fields.
var named = []string{"rows", "fields"}

// changes returns all changes of a document. Of a list only the first entry is changed.
func changes(value any, path string) []change {
	var all []change
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			at := path + "/" + key
			if !slices.ContainsFunc(named, func(n string) bool { return strings.HasSuffix(path, "/"+n) }) {
				all = append(all, change{"the name of " + at, func(document any) {
					object := find(document, path).(map[string]any)
					object[key+"_"] = object[key]
					delete(object, key)
				}})
			}
			if _, container := v[key].(map[string]any); !container {
				all = append(all, change{"the type of " + at, func(document any) {
					object := find(document, path).(map[string]any)
					if _, isBool := object[key].(bool); isBool {
						object[key] = "true"
					} else {
						object[key] = true
					}
				}})
			}
			all = append(all, changes(v[key], at)...)
		}
	case []any:
		if len(v) > 0 {
			all = append(all, changes(v[0], path+"/0")...)
		}
	}
	return all
}

// find returns what is at a path that changes made.
func find(value any, path string) any {
	for step := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		switch v := value.(type) {
		case map[string]any:
			if step != "" {
				value = v[step]
			}
		case []any:
			value = v[0]
		}
	}
	return value
}
