package cmd

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/pmctl/pmctl/docs/schemas"
	"github.com/pmctl/pmctl/wallet/format"
)

// kindsVariable names a folder in which each kind of document leaves a mark once one has
// been looked at.
const kindsVariable = "PMCTL_TEST_KINDS"

// exitUndocumented ends a run of pmctl in a script whose output is not what docs/schemas
// say.
const exitUndocumented = 99

// recorder keeps what is written when it is JSON.
type recorder struct {
	w         io.Writer
	kept, all bytes.Buffer
	// lines has it look at each line by itself, as stderr needs it.
	lines bool
}

func (r *recorder) Write(p []byte) (int, error) {
	n, err := r.w.Write(p)
	r.all.Write(p[:n])
	if looked := p[:n]; r.lines && bytes.HasPrefix(looked, []byte(`{"kind"`)) || !r.lines && (r.kept.Len() > 0 || bytes.HasPrefix(looked, []byte("{"))) {
		r.kept.Write(looked)
	}
	return n, err
}

// documented runs pmctl and holds every document that it wrote against its schema, unless the
// user has it print something else.
func documented(run func(*Env) int) int {
	env := System()
	if slices.ContainsFunc(os.Args, func(arg string) bool {
		return strings.HasPrefix(arg, "--jq") || strings.HasPrefix(arg, "--template")
	}) {
		return run(env)
	}
	out, err := &recorder{w: env.Out}, &recorder{w: env.Err, lines: true}
	env.Out, env.Err = out, err
	code := run(env)
	if err := err.silent(); err != nil && !env.ErrTerminal && asksForJSON(os.Args) {
		fmt.Fprintf(os.Stderr, "NOT AS DOCUMENTED: %v\n", err)
		return exitUndocumented
	}
	for _, written := range []*recorder{out, err} {
		if err := conform(written.kept.Bytes(), code == exitDone); err != nil {
			fmt.Fprintf(os.Stderr, "NOT AS DOCUMENTED: %v\n", err)
			return exitUndocumented
		}
	}
	return code
}

// silent fails unless nothing was written, or one error document.
func (r *recorder) silent() error {
	if text := r.all.String(); text != r.kept.String() || strings.Count(text, "\n") > 1 {
		return fmt.Errorf("with --output json stderr has more than one error document: %q", text)
	}
	return nil
}

// asksForJSON reports whether a command line has --output json, and not --verbose.
func asksForJSON(args []string) bool {
	line, _, _ := strings.Cut(strings.Join(args, " ")+" ", " -- ")
	return regexp.MustCompile(` (-o|--output)[= ]?(nd)?json `).MatchString(line) && !regexp.MustCompile(` (-v|--verbose) `).MatchString(line)
}

// conform checks a stream of documents. The last one may be cut off unless it is whole.
func conform(stream []byte, whole bool) error {
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
			if compiled, err = compile(schema); err != nil {
				return err
			}
		}
		if schema == format.KindBatch+"#ticket" {
			line = compiled
		}
		if err := check(compiled, schema, document); err != nil {
			return err
		}
	}
}

// check holds a document against the schema of its kind. The first document of a shape
// is also changed in every field, which the schema must notice.
func check(schema *jsonschema.Schema, name string, document []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return err
	}
	if err := schema.Validate(value); err != nil {
		return fmt.Errorf("%s is not what docs/schemas says, which has to be changed with it: %w\n%s", name, err, document)
	}
	mark, err := firstOfItsShape(name, value)
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

// compile returns the schema of a kind, or of a part of it: KIND#PART.
func compile(name string) (*jsonschema.Schema, error) {
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
func firstOfItsShape(name string, value any) (string, error) {
	dir := os.Getenv(kindsVariable)
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
