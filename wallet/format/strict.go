package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/pmctl/pmctl/pm/wire"
)

// unmarshal decodes one JSON value strictly. Unlike encoding/json, it refuses a field that is
// repeated, spelled in another case, or missing. A field is missing if encoding the decoded value
// would write it, so omitzero and omitempty make a field optional.
func unmarshal(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return explain(err)
	}
	var written, compact bytes.Buffer
	if err := newEncoder(&written).Encode(into); err != nil {
		return invalid(err)
	}
	canonical := bytes.TrimSuffix(written.Bytes(), []byte("\n"))
	if err := json.Compact(&compact, data); err != nil {
		return explain(err)
	}
	if bytes.Equal(compact.Bytes(), canonical) {
		return nil // each field is there, once
	}
	found, err := fields(data)
	if err != nil {
		return err
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

// paths are the fields of a JSON value, in order: a.b for fields of objects, a[1] for elements of
// lists. A null counts as missing.
type paths struct {
	order []string
	set   map[string]bool
}

// fields returns the fields of valid JSON. It refuses names that cannot be ours, and repeated ones.
func fields(valid []byte) (paths, error) {
	w := walker{json.NewDecoder(bytes.NewReader(valid)), paths{set: make(map[string]bool)}}
	w.tokens.UseNumber()
	err := w.value("")
	return w.found, err
}

type walker struct {
	tokens *json.Decoder
	found  paths
}

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

// member walks over a name and its value. encoding/json accepts names in any case, so that a second
// spelling could replace a field unnoticed.
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
