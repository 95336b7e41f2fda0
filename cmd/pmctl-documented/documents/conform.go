// Package documents holds what pmctl writes in the tests against docs/schemas.
package documents

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/pmctl/pmctl/docs/schemas"
	"github.com/pmctl/pmctl/wallet/format"
)

// Conform checks a stream of documents. The last one may be cut off unless it is whole. If kinds is
// not "", each kind of document leaves a mark in that folder once one has been looked at.
func Conform(stream []byte, whole bool, kinds string) error {
	decoder := json.NewDecoder(bytes.NewReader(stream))
	last := ""
	var line *jsonschema.Schema // of a batch's tickets: there are many of them
	for {
		var document json.RawMessage
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) || err != nil && !whole {
			return nil
		}
		if err != nil {
			return fmt.Errorf("what begins as JSON does not go on so: %w", err)
		}
		var head struct {
			Kind   string          `json:"kind"`
			Crypto json.RawMessage `json:"crypto"`
			Batch  json.RawMessage `json:"transactions"`
		}
		if err := json.Unmarshal(document, &head); err != nil {
			return err
		}
		schema := head.Kind
		switch {
		case head.Kind == "" && head.Crypto != nil:
			continue // a key file, whose form is not ours
		case head.Kind == "" && head.Batch != nil:
			continue // for a Safe, whose form is not ours either
		case head.Kind == "" && last == format.KindBatch:
			schema = format.KindBatch + "#ticket"
		case head.Kind == "":
			return fmt.Errorf("a document without a kind: %.100s", document)
		default:
			last = head.Kind
		}
		compiled := line
		if compiled == nil || schema != format.KindBatch+"#ticket" {
			if compiled, err = Compile(schema); err != nil {
				return err
			}
		}
		if schema == format.KindBatch+"#ticket" {
			line = compiled
		}
		if err := check(compiled, schema, document, kinds); err != nil {
			return err
		}
	}
}

// check holds a document against the schema of its kind. The first document of a shape
// is also changed in every field, which the schema must notice.
func check(schema *jsonschema.Schema, name string, document []byte, kinds string) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return err
	}
	if err := schema.Validate(value); err != nil {
		return fmt.Errorf("%s is not what docs/schemas says, which has to be changed with it: %w\n%s", name, err, document)
	}
	mark, err := firstOfItsShape(name, value, kinds)
	if err != nil || mark == "" {
		return err
	}
	for _, change := range changes(value, "") {
		changed, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
		if err != nil {
			return err
		}
		change.apply(changed)
		if schema.Validate(changed) == nil {
			return fmt.Errorf("the schema of %s does not notice that %s changes", name, change.what)
		}
	}
	return os.WriteFile(mark, nil, 0o600)
}

// Compile returns the schema of a kind, or of a part of it: KIND#PART.
func Compile(name string) (*jsonschema.Schema, error) {
	kind, part, _ := strings.Cut(name, "#")
	file := kind + ".json"
	if _, err := fs.Stat(schemas.Files, file); err != nil {
		return nil, fmt.Errorf("documents of kind %s have no schema: describe them in docs/schemas/%s", kind, file)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.RegisterFormat(&jsonschema.Format{Name: "eip55", Validate: func(v any) error {
		if text, ok := v.(string); ok && common.HexToAddress(text).Hex() != text {
			return errors.New("no EIP-55 checksum")
		}
		return nil
	}})
	c.UseLoader(loader{})
	at := "embed:///" + file
	if part != "" {
		at += "#/$defs/" + part
	}
	return c.Compile(at)
}

// loader reads the embedded schemas.
type loader struct{}

func (loader) Load(url string) (any, error) {
	f, err := schemas.Files.Open(filepath.Base(url))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return jsonschema.UnmarshalJSON(f)
}

// firstOfItsShape returns the mark to leave for a document with fields that none had
// before, "" when one had.
func firstOfItsShape(name string, value any, dir string) (string, error) {
	if dir == "" {
		return "", nil
	}
	shape := sha256.New()
	for _, change := range changes(value, "") {
		fmt.Fprintln(shape, change.what)
	}
	mark := filepath.Join(dir, fmt.Sprintf("%s@%x", name, shape.Sum(nil)[:6]))
	if _, err := os.Stat(mark); err == nil {
		return "", nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return mark, nil
}
