package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/pmctl/pmctl/pm/wire"
)

// unmarshal reads one JSON value strictly. Beyond what the JSON package refuses, it
// fails for a field that is repeated, spelled in another case, or missing. A field is
// missing when the value that was read would be written with it, so omitzero and
// omitempty are what makes a field optional.
func unmarshal(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return explain(err)
	}
	found, err := fields(data)
	if err != nil {
		return err
	}
	canonical, err := json.Marshal(into)
	if err != nil {
		return invalid(err)
	}
	needed, err := fields(canonical)
	if err != nil {
		return err
	}
	for _, path := range needed.order {
		if !found.set[path] {
			return invalid(&wire.MissingError{Field: path})
		}
	}
	return nil
}

// paths are the fields of a JSON value, in order: a.b for fields of objects, a[1] for
// those of lists. A null counts as no field.
type paths struct {
	order []string
	set   map[string]bool
}

// fields returns the fields of JSON that the JSON package has found valid: it is read
// without looking for errors. It fails for a name that none of ours is spelled like, and
// for one that is repeated.
func fields(valid []byte) (paths, error) {
	w := walker{rest: valid, found: paths{make([]string, 0, usual), make(map[string]bool, usual)}}
	err := w.value()
	return w.found, err
}

// usual is how many fields most documents have.
const usual = 40

// walker goes through JSON. The JSON package's own tokens take five times as long.
type walker struct {
	rest  []byte
	path  []byte
	found paths
}

// value walks over the next value, which path leads to.
func (w *walker) value() error {
	switch w.next() {
	case 'n':
		w.scalar()
		return nil
	case '{':
		return w.members('}', w.member)
	case '[':
		i := 0
		return w.members(']', func() error {
			w.path = strconv.AppendInt(append(w.path, '['), int64(i), 10)
			w.path = append(w.path, ']')
			i++
			return w.value()
		})
	case '"':
		w.text()
	default:
		w.scalar()
	}
	return w.keep()
}

// members walks over what stands between two brackets.
func (w *walker) members(closing byte, member func() error) error {
	if err := w.keep(); err != nil {
		return err
	}
	at := len(w.path)
	for w.rest = w.rest[1:]; w.next() != closing; {
		if w.rest[0] == ',' {
			w.rest = w.rest[1:]
			continue
		}
		err := member()
		if w.path = w.path[:at]; err != nil {
			return err
		}
	}
	w.rest = w.rest[1:]
	return nil
}

// member walks over a name and its value.
func (w *walker) member() error {
	quoted := w.text()
	name := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		var unquoted string
		if err := json.Unmarshal(quoted, &unquoted); err != nil {
			return explain(err)
		}
		name = []byte(unquoted)
	}
	if !plain(name) {
		return unknownField(quote(string(name)))
	}
	if len(w.path) > 0 {
		w.path = append(w.path, '.')
	}
	w.path = append(w.path, name...)
	w.next()
	w.rest = w.rest[1:] // the colon
	return w.value()
}

// keep adds the path to those that were found.
func (w *walker) keep() error {
	if len(w.path) == 0 {
		return nil
	}
	if w.found.set[string(w.path)] {
		return invalid(fmt.Errorf("%s is there twice", w.path))
	}
	path := string(w.path)
	w.found.set[path] = true
	w.found.order = append(w.found.order, path)
	return nil
}

// next passes over space.
func (w *walker) next() byte {
	w.rest = bytes.TrimLeft(w.rest, " \t\r\n")
	return w.rest[0]
}

// text passes over a string, and returns it with its quotes.
func (w *walker) text() []byte {
	end := 1
	for w.rest[end] != '"' {
		if w.rest[end] == '\\' {
			end++
		}
		end++
	}
	text := w.rest[:end+1]
	w.rest = w.rest[end+1:]
	return text
}

// scalar passes over a number or a word.
func (w *walker) scalar() {
	end := bytes.IndexAny(w.rest, ",]} \t\r\n")
	if end < 0 {
		end = len(w.rest)
	}
	w.rest = w.rest[end:]
}

// plain tells whether a field's name is spelled as ours are. The JSON package takes names
// in any case, so that a second spelling could replace a field unseen.
func plain(name []byte) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return len(name) > 0
}
