package jsonfilter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"text/template"

	"github.com/itchyny/gojq"

	"github.com/pmctl/pmctl/internal/words"
)

// Template parses a template of package text/template. Beside the given functions it has join and json.
func Template(text string, functions template.FuncMap) (Filter, error) {
	parsed, err := template.New("template").Funcs(template.FuncMap{"join": join, "json": jsonText}).Funcs(functions).Parse(text)
	if err != nil {
		return nil, withoutPrefix(err)
	}
	return func(ctx context.Context, out *bytes.Buffer, document any) error {
		err := parsed.Execute(endingWriter{ctx, out}, exactNumbers(document))
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return withoutPrefix(err)
		}
		if text := out.Bytes(); len(text) > 0 && text[len(text)-1] != '\n' {
			out.WriteByte('\n')
		}
		return nil
	}, nil
}

// withoutPrefix is an error of package text/template without the package's name.
func withoutPrefix(err error) error {
	return errors.New(strings.TrimPrefix(err.Error(), "template: "))
}

// endingWriter fails once ctx has ended.
type endingWriter struct {
	ctx context.Context
	out *bytes.Buffer
}

func (w endingWriter) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.out.Write(p)
}

// exactNumbers returns a decoded document whose numbers templates can print and compare: whole ones
// are an int or, where they do not fit, a *big.Int, so that no digit is lost.
func exactNumbers(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, field := range value {
			value[key] = exactNumbers(field)
		}
	case []any:
		for i, element := range value {
			value[i] = exactNumbers(element)
		}
	case json.Number:
		if n, err := strconv.Atoi(value.String()); err == nil {
			return n
		}
		if n, ok := new(big.Int).SetString(value.String(), 10); ok {
			return n
		}
		if x, err := value.Float64(); err == nil {
			return x
		}
	}
	return value
}

// join is the elements of a list with a separator between them.
func join(separator string, list []any) string {
	return words.Join(list, separator, func(element any) string { return fmt.Sprint(element) })
}

// jsonText is a value as JSON on one line.
func jsonText(value any) (string, error) {
	text, err := gojq.Marshal(value)
	return string(text), err
}
