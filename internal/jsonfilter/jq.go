package jsonfilter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"regexp"

	"github.com/itchyny/gojq"
)

// JQ compiles an expression, which has no environment, modules or further input. Its results are
// printed as gh does: strings, numbers and booleans bare, null as an empty line, and objects and
// lists as JSON, which is indented for a person to read.
func JQ(expression string, indents bool) (Filter, error) {
	query, err := gojq.Parse(expression)
	if err != nil {
		return nil, err
	}
	code, err := gojq.Compile(query)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, out *bytes.Buffer, document any) error {
		results := code.RunWithContext(ctx, document)
		for {
			result, more := results.Next()
			if !more {
				return nil
			}
			if err, failed := result.(error); failed {
				if halted, ok := errors.AsType[*gojq.HaltError](err); ok && halted.Value() == nil {
					return nil
				}
				return withoutValues(err)
			}
			if err := printResult(out, result, indents); err != nil {
				return err
			}
			out.WriteByte('\n')
		}
	}, nil
}

func printResult(out *bytes.Buffer, result any, indents bool) error {
	switch result := result.(type) {
	case nil:
		return nil
	case string:
		out.WriteString(result)
		return nil
	}
	text, err := gojq.Marshal(result)
	if err != nil || !indents {
		out.Write(text)
		return err
	}
	return json.Indent(out, text, "", "  ")
}

// operand is a value in an error of gojq, which shows its beginning.
var operand = regexp.MustCompile(`(?s)\b(boolean|number|string|array|object) \(.*`)

// withoutValues is an expression's error without values of the document: some are secrets.
func withoutValues(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return errors.New(operand.ReplaceAllString(err.Error(), "$1"))
}
