package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

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

// fields returns the fields of JSON that the JSON package has found valid. It fails for a
// name that none of ours is spelled like, and for one that is repeated.
func fields(valid []byte) (paths, error) {
	w := walker{json.NewDecoder(bytes.NewReader(valid)), paths{set: make(map[string]bool)}}
	w.tokens.UseNumber()
	err := w.value("")
	return w.found, err
}

// walker goes through JSON.
type walker struct {
	tokens *json.Decoder
	found  paths
}

// value walks over the next value, which path leads to.
func (w *walker) value(path string) error {
	token, err := w.tokens.Token()
	if err != nil {
		return explain(err)
	}
	if token == nil {
		return nil
	}
	if w.found.set[path] {
		return invalid(fmt.Errorf("%s is there twice", path))
	}
	if path != "" {
		w.found.set[path] = true
		w.found.order = append(w.found.order, path)
	}
	switch token {
	default:
		return nil
	case json.Delim('{'):
		for err == nil && w.tokens.More() {
			err = w.member(path)
		}
	case json.Delim('['):
		for i := 0; err == nil && w.tokens.More(); i++ {
			err = w.value(path + "[" + strconv.Itoa(i) + "]")
		}
	}
	if err == nil {
		_, err = w.tokens.Token() // the closing bracket
	}
	return err
}

// member walks over a name and its value. The JSON package takes names in any case, so that
// a second spelling could replace a field unseen: only ours will do.
func (w *walker) member(path string) error {
	token, err := w.tokens.Token()
	if err != nil {
		return explain(err)
	}
	name, _ := token.(string)
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return unknownField(quote(name))
	}
	if path != "" {
		name = path + "." + name
	}
	return w.value(name)
}
