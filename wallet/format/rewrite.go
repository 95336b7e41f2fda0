package format

import (
	"bytes"
	"encoding/json"
)

// member is a name of an object with its value.
type member struct {
	name  string
	value json.RawMessage
}

// rewriting is what becomes of a member of an object.
type rewriting func(name string, value json.RawMessage) ([]member, error)

// rewrite returns valid JSON with the members at these paths rewritten, and everything
// else as it was, in its order. A path is as that of fields, with [] for every element.
func rewrite(value json.RawMessage, path string, rules map[string]rewriting) (json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(value))
	opening, err := decoder.Token()
	if err != nil {
		return nil, explain(err)
	}
	out := new(bytes.Buffer)
	switch opening {
	case json.Delim('{'):
		err = rewriteObject(out, decoder, path, rules)
	case json.Delim('['):
		err = rewriteList(out, decoder, path+"[]", rules)
	default:
		return value, nil
	}
	return out.Bytes(), err
}

func rewriteObject(out *bytes.Buffer, decoder *json.Decoder, path string, rules map[string]rewriting) error {
	separator := byte('{')
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return explain(err)
		}
		name := token.(string)
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return explain(err)
		}
		at := name
		if path != "" {
			at = path + "." + name
		}
		members := []member{{name, value}}
		if rule := rules[at]; rule != nil {
			members, err = rule(at, value)
		} else {
			members[0].value, err = rewrite(value, at, rules)
		}
		if err != nil {
			return err
		}
		for _, m := range members {
			quoted, err := json.Marshal(m.name)
			if err != nil {
				return err
			}
			out.WriteByte(separator)
			out.Write(quoted)
			out.WriteByte(':')
			out.Write(m.value)
			separator = ','
		}
	}
	if separator == '{' {
		out.WriteByte('{')
	}
	return out.WriteByte('}')
}

func rewriteList(out *bytes.Buffer, decoder *json.Decoder, path string, rules map[string]rewriting) error {
	out.WriteByte('[')
	for i := 0; decoder.More(); i++ {
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return explain(err)
		}
		value, err := rewrite(value, path, rules)
		if err != nil {
			return err
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(value)
	}
	return out.WriteByte(']')
}
