package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm/wire"
)

func TestReadRefuses(t *testing.T) {
	whole := string(documents(t)[ParamsForm])
	replace := func(old, new string) string {
		require.Contains(t, whole, old)
		return strings.Replace(whole, old, new, 1)
	}
	for name, c := range map[string]struct {
		input, message string
		want           error
	}{
		"nothing":                {"", "empty", ErrTruncated},
		"only space":             {" \n\t", "empty", ErrTruncated},
		"half":                   {whole[:len(whole)/2], "ends too early", ErrTruncated},
		"a word":                 {"hello", "byte 1", ErrSyntax},
		"a list":                 {"[]", "the document: got array, want an object", ErrSyntax},
		"no UTF-8":               {replace("store", "st\xffore"), "UTF-8", ErrSyntax},
		"something after":        {whole + "{}", "after its end follow 2 bytes more", ErrSyntax},
		"two documents":          {whole + whole, "after its end", ErrSyntax},
		"no kind":                {"{}", "no kind; want pmctl.params", ErrKind},
		"another kind":           {replace("pmctl.params", "pmctl.batch"), "is a pmctl.batch document, want pmctl.params", ErrKind},
		"a newer version":        {replace(`"version": 2`, `"version": 3`), "has version 3, this pmctl reads version 2: use a newer", &VersionError{}},
		"no version":             {replace(`"version": 2,`, ``), "version 0", &VersionError{}},
		"a version in quotes":    {replace(`"version": 2`, `"version": "2"`), "version: got string, want a whole number", ErrSyntax},
		"an unknown field":       {replace(`"seed"`, `"sead"`), `unknown field "sead"`, ErrSyntax},
		"one beside the data":    {replace(`"version": 2,`, `"version": 2, "more": 1,`), `unknown field "more"`, ErrSyntax},
		"a field in capitals":    {replace(`"seed"`, `"Seed"`), `unknown field "Seed"`, ErrSyntax},
		"a field twice":          {replace(`"seed"`, `"seed": "1", "seed"`), "data.ticket_params.seed is there twice", ErrSyntax},
		"twice, once in escapes": {replace(`"seed"`, `"se\u0065d" : "1", "seed"`), "data.ticket_params.seed is there twice", ErrSyntax},
		"a name with a bracket":  {replace(`"seed"`, `"se}\"d": [{}, [null, "]"]], "seed"`), `se}`, ErrSyntax},
		"no data":                {`{"kind":"pmctl.params","version":2}`, "data is missing", ErrSyntax},
		"null as data":           {`{"kind":"pmctl.params","version":2,"data":null}`, "data is missing", ErrSyntax},
		"a field too few":        {replace(`"seed"`, `"unknown":"","seed2"`), "unknown field", ErrSyntax},
		"null in a field":        {replace(`"win_prob": "`, `"win_prob": null, "unknown": "`), "", ErrSyntax},
		"a number in quotes":     {replace(`"creation_round": 3812`, `"creation_round": "3812"`), "data.ticket_params.expiration_params.creation_round: got text, want a whole number, 0 or more, without quotes", ErrSyntax},
		"a leading zero":         {replace(`"price_per_unit": "7"`, `"price_per_unit": "07"`), `got "07", want a decimal number`, ErrSyntax},
		"a fraction":             {replace(`"expiration_block": 22345678`, `"expiration_block": 2234.5`), `data.ticket_params.expiration_block: got 2234.5, want a whole number`, ErrSyntax},
		"an exponent":            {replace(`"expiration_block": 22345678`, `"expiration_block": 2e7`), `data.ticket_params.expiration_block: got 2e7, want a whole number`, ErrSyntax},
		"a negative round":       {replace(`"creation_round": 3812`, `"creation_round": -3812`), `data.ticket_params.expiration_params.creation_round: got -3812, want a whole number, 0 or more`, ErrSyntax},
		"a negative price":       {replace(`"price_per_unit": "7"`, `"price_per_unit": "-7"`), "data.price.price_per_unit: got", ErrSyntax},
		"hex for a number":       {replace(`"seed": "`, `"seed": "0x`), `got "0x5743`, ErrSyntax},
		"no pixels":              {replace(`"pixels_per_unit": "3"`, `"pixels_per_unit": "0"`), "pixels_per_unit: got 0, want 1 or more", ErrSyntax},
		"a wrong checksum":       {replace("0x70997970C5", "0x70997970c5"), "recipient: got \"0x70997970c5", ErrSyntax},
		"an address cut short":   {replace("0x70997970C5", "0x70997970"), "want an address", ErrSyntax},
		"an address without 0x":  {replace("0x70997970C5", "70997970C5"), "want an address", ErrSyntax},
		"a hash cut short":       {replace(`"recipient_rand_hash": "0x247d`, `"recipient_rand_hash": "0x24`), "data.ticket_params.recipient_rand_hash: got", ErrSyntax},
		"no base64":              {replace(`"token": "`, `"token": "*`), "data.auth_token.token: got", ErrSyntax},
		"base64 of two lines":    {replace(`"token": "pWn`, `"token": "pWn\r\n`), "data.auth_token.token: got", ErrSyntax},
		"no time":                {replace("2023-11-14T22:13:20Z", "yesterday"), `got "yesterday", want a time`, ErrSyntax},
		"no amount":              {replace(`"face_value": "`, `"face_value": "-`), `data.ticket_params.face_value: got "-3500000000000000", want an amount in wei`, ErrSyntax},
		"an amount unquoted":     {replace(`"face_value": "3500000000000000"`, `"face_value": 3500000000000000`), "data.ticket_params.face_value: got number, want an amount in wei", ErrSyntax},
		"an amount too large":    {replace(`"face_value": "`, `"face_value": "`+strings.Repeat("9", 70)), "data.ticket_params.face_value: got", ErrSyntax},
		"a number as time":       {replace(`"2023-11-14T22:13:20Z"`, `5`), "time: got something else than text, want a time", ErrSyntax},
		"a token that is known":  {replace(`"auth_token"`, `"unknown": "KgA=", "auth_token"`), "unknown", ErrSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadParams(strings.NewReader(c.input))
			require.ErrorContains(t, err, c.message)
			switch c.want.(type) {
			case *VersionError:
				require.ErrorAs(t, err, new(*VersionError))
			default:
				require.ErrorIs(t, err, c.want)
			}
			require.NotContains(t, err.Error(), "Go ", "errors speak of documents, not of our types")
			require.NotContains(t, err.Error(), "json:")
			require.NotContains(t, err.Error(), "Unmarshal")
		})
	}
}

func TestErrorsDoNotRepeatTheAuthToken(t *testing.T) {
	whole := string(documents(t)[ParamsForm])
	for _, spoil := range []string{"*pWn", "pWn ", "pWnA"} {
		spoilt := strings.Replace(whole, `"token": "pWn`, `"token": "`+spoil, 1)
		require.NotEqual(t, whole, spoilt)
		_, err := ReadParams(strings.NewReader(spoilt))
		require.ErrorIs(t, err, ErrSyntax)
		require.ErrorContains(t, err, "data.auth_token.token: got 45 characters that are something else, want bytes in quotes, in base64")
		require.NotContains(t, err.Error(), "pWn")
	}
}

func TestTimesAreOfUTC(t *testing.T) {
	whole := string(documents(t)[ParamsForm])
	p, err := ReadParams(strings.NewReader(strings.Replace(whole, "22:13:20Z", "23:13:20+01:00", 1)))
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, Write(&out, KindParams, p))
	require.Equal(t, whole, out.String())
}

func TestEveryFieldIsNeeded(t *testing.T) {
	all := documents(t)
	for form, optional := range map[string][]string{
		ParamsForm: {"data.store_id", "data.price", "data.address", "data.auth_token", "data.ticket_params.expiration_params"},
		JSON:       {"data.segment"},
	} {
		p, err := fields(all[form])
		require.NoError(t, err)
		require.Greater(t, len(p.order), 20)
		for _, path := range p.order {
			if strings.Contains(path, "[") {
				continue
			}
			for _, null := range []bool{false, true} {
				var tree map[string]any
				require.NoError(t, json.Unmarshal(all[form], &tree))
				cut(tree, strings.Split(path, "."), null)
				text, err := json.Marshal(tree)
				require.NoError(t, err)
				_, err = Decode(bytes.NewReader(text))
				if slices.Contains(optional, path) {
					require.NoError(t, err, "%s without %s", form, path)
				} else {
					require.Error(t, err, "%s without %s", form, path)
				}
			}
		}
	}
}

// TestWrongTypesNameTheFieldAsItIsWritten: also a field of a type that the document's embeds.
func TestWrongTypesNameTheFieldAsItIsWritten(t *testing.T) {
	all := documents(t)
	for _, form := range []string{ParamsForm, JSON} {
		p, err := fields(all[form])
		require.NoError(t, err)
		for _, path := range p.order {
			if strings.Contains(path, "[") {
				continue
			}
			var tree map[string]any
			require.NoError(t, json.Unmarshal(all[form], &tree))
			cut(tree, strings.Split(path, "."), true)
			parent := tree
			for _, name := range strings.Split(path, ".")[:strings.Count(path, ".")] {
				parent = parent[name].(map[string]any)
			}
			parent[path[strings.LastIndex(path, ".")+1:]] = []any{true}
			text, err := json.Marshal(tree)
			require.NoError(t, err)
			_, err = Decode(bytes.NewReader(text))
			require.Error(t, err, path)
			require.NotRegexp(t, `\w\.[A-Z]`, err.Error(), path)
			if !strings.HasSuffix(path, "_at") { // the decoder does not name the field of a time
				require.ErrorContains(t, err, path)
			}
		}
	}
}

// cut removes a field from a tree, or sets it to null.
func cut(tree map[string]any, path []string, null bool) {
	for ; len(path) > 1; path = path[1:] {
		tree = tree[path[0]].(map[string]any)
	}
	delete(tree, path[0])
	if null {
		tree[path[0]] = nil
	}
}

func TestReadIsBounded(t *testing.T) {
	for name, read := range map[string]func(io.Reader) error{
		"Read":   func(r io.Reader) error { return Read(r, KindParams, new(Params)) },
		"Decode": func(r io.Reader) error { _, err := Decode(r); return err },
	} {
		t.Run(name, func(t *testing.T) {
			endless := &endless{}
			require.ErrorIs(t, read(endless), ErrTooLarge)
			require.Less(t, endless.read, MaxSize+1<<20, "no more is read than is allowed")

			broken := errors.New("the cable is out")
			require.ErrorIs(t, read(iotest.ErrReader(broken)), broken)
		})
	}
	whole := documents(t)[ParamsForm]
	padded := append(bytes.Repeat([]byte(" "), MaxSize-len(whole)), whole...)
	require.NoError(t, Read(bytes.NewReader(padded), KindParams, new(Params)))
	require.ErrorIs(t, Read(bytes.NewReader(append(padded, '\n')), KindParams, new(Params)), ErrTooLarge)
	require.NoError(t, Read(iotest.OneByteReader(bytes.NewReader(whole)), KindParams, new(Params)))
}

// endless never stops to open objects.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '['
	}
	e.read += len(p)
	return len(p), nil
}

func TestDeepNestingIsRefused(t *testing.T) {
	_, err := Decode(strings.NewReader(strings.Repeat(`{"kind":`, 1<<20)))
	require.Error(t, err)
}

func TestReadAnyKind(t *testing.T) {
	type round struct {
		Number int       `json:"number"`
		At     time.Time `json:"at"`
		Notes  []string  `json:"notes,omitempty"`
	}
	want := round{7, time.Unix(0, 0).UTC(), []string{"a < b & c"}}
	var out bytes.Buffer
	require.NoError(t, Write(&out, "pmctl.round", want))
	require.Equal(t, "{\n  \"kind\": \"pmctl.round\",\n  \"version\": 2,\n  \"data\": {\n    \"number\": 7,\n    \"at\": \"1970-01-01T00:00:00Z\",\n    \"notes\": [\n      \"a < b & c\"\n    ]\n  }\n}\n", out.String())
	var got round
	require.NoError(t, Read(&out, "pmctl.round", &got))
	require.Equal(t, want, got)
}

func TestWriteError(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, WriteError(&out, Error{Code: "no_funds", ExitCode: 4, Message: "a & b", Hint: "do\nthis"}))
	require.Equal(t, `{"kind":"pmctl.error","version":2,"error":{"code":"no_funds","exit_code":4,"message":"a & b","hint":"do\nthis"}}`+"\n", out.String())

	// A failed command's error, read instead of its document.
	err := Read(&out, KindParams, new(Params))
	require.ErrorIs(t, err, ErrKind)
	require.EqualError(t, err, "the input is a pmctl.error document, want pmctl.params")
}

func TestAMissingFieldIsNamed(t *testing.T) {
	var missing *wire.MissingError
	err := Read(strings.NewReader(`{"kind":"x","version":2,"data":{"a":1}}`), "x", &struct {
		A int `json:"a"`
		B int `json:"b"`
	}{})
	require.ErrorAs(t, err, &missing)
	require.Equal(t, "data.b", missing.Field)
}

// What stands within strings is no field, and a null is none.
func TestFieldsAreFoundBetweenAnything(t *testing.T) {
	p, err := fields([]byte(` { "a" : [ {"b":"]}\",\\"} , null , -1.5e3,true,[ ] ],"c":{ } ,"d":"\\" , "e":null,"f" : "{\"g\":1}" } `))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "a[0]", "a[0].b", "a[2]", "a[3]", "a[4]", "c", "d", "f"}, p.order)
}

// TestSyntaxErrorsSayWhere: an error about malformed JSON says where it is, not in the decoder's words.
func TestSyntaxErrorsSayWhere(t *testing.T) {
	_, err := ReadParams(strings.NewReader(`{"kind": "pmctl.params", ]`))
	require.ErrorIs(t, err, ErrSyntax)
	require.EqualError(t, err, "not a valid document: it is not JSON, at byte 26")
}

// TestALargeStoreIsRead: an export grows with each payment, and has a bound of its own.
func TestALargeStoreIsRead(t *testing.T) {
	document := `{"kind":"` + KindStore + `","version":2,"data":{"store_id":"` + strings.Repeat("x", MaxSize) + `"}}`
	var store struct {
		ID string `json:"store_id"`
	}
	require.NoError(t, Read(strings.NewReader(document), KindStore, &store))
	require.Len(t, store.ID, MaxSize)
	require.ErrorIs(t, Read(strings.NewReader(document), KindParams, &store), ErrTooLarge)
}
