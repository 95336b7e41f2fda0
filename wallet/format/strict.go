package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

func fields(data []byte) (paths, error) {
	p := paths{set: make(map[string]bool)}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	err := p.walk(decoder, "")
	if errors.Is(err, io.EOF) {
		err = ErrTruncated
	}
	return p, err
}

func (p *paths) walk(decoder *json.Decoder, path string) error {
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	if token == nil {
		return nil
	}
	if path != "" {
		if p.set[path] {
			return invalid(fmt.Errorf("%s is there twice", path))
		}
		p.set[path] = true
		p.order = append(p.order, path)
	}
	switch token {
	case json.Delim('{'):
		for decoder.More() {
			token, err := decoder.Token()
			if err != nil {
				return err
			}
			name, _ := token.(string)
			if !plain(name) {
				return unknownField(quote(name))
			}
			if err := p.walk(decoder, join(path, name)); err != nil {
				return err
			}
		}
	case json.Delim('['):
		for i := 0; decoder.More(); i++ {
			if err := p.walk(decoder, path+"["+strconv.Itoa(i)+"]"); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = decoder.Token() // the closing bracket
	return err
}

// plain tells whether a field's name is spelled as ours are. The JSON package takes
// names in any case, so that a second spelling could replace a field unseen.
func plain(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return name != ""
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
