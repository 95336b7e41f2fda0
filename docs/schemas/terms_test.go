package schemas

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// names are other names for what the documents have a name for, and that name.
func names() map[string]string {
	return map[string]string{
		"hash": "transaction_hash or ticket_hash", "tx": "transaction_hash", "tx_hash": "transaction_hash", "txid": "transaction_hash",
		"account": "sender", "payer": "sender", "gateway": "sender", "broadcaster": "sender",
		"orchestrator": "recipient", "payee": "recipient",
		"uri": "url", "service_uri": "url or registered_url", "endpoint": "url", "orchestrator_url": "url", "recipient_url": "url",
		"count": "tickets", "nonces": "tickets", "ticket_count": "tickets",
		"ev": "ticket_ev_* or total_ev_*", "expected_value": "ticket_ev_* or total_ev_*",
		"total": "total_ev_* or the name of what it sums", "worst": "face_value", "worst_per_day": "face_value_per_day", "ticket_face_value": "face_value",
		"winprob": "win_prob", "win_probability": "win_prob",
		"signature": "sig",
		"expiry":    "expires_at", "expires": "expires_at", "expiration": "expires_at", "valid_until": "expires_at",
		"made_at": "created_at", "revocation": "revoked_at",
		"chain": "chain_id", "network_id": "chain_id",
		"end_round": "withdraw_round", "withdraw_at": "ready_at",
		"tx_nonce": "nonce", "sender_nonce": "nonce", "start_nonce": "first_nonce", "end_nonce": "last_nonce",
		"block_number": "block", "l1_block_number": "l1_block",
		"set_in": "source", "set_by": "source", "face_value_from": "face_value_source",
		"text": "message", "detail": "message or reason", "what": "description", "verdict": "state", "check": "id", "knob": "setting",
	}
}

// allowedNames are fields whose name means something else than in names.
func allowedNames() map[string]string {
	return map[string]string{
		"auth_token.expiration": "the protocol's own field, in seconds since 1970, as the recipient sent it",
	}
}

// amounts matches the names of amounts of wei.
var amounts = regexp.MustCompile(`(^|_)(deposit|reserve|face_value|fee|paid|balance|spent|overpaid|price|cost|float|limit|credit|tip|funded|withdrawn|value|ev)(_|$)`)

// notAmounts are fields with such a name that are no amount, and why.
func notAmounts() map[string]string {
	return map[string]string{
		"counts_as_spent": "a reason",
		"settings.value":  "a setting as text", "arguments.value": "an argument of a contract's method as text",
		"price_per_unit": "with pixels_per_unit, the protocol's price",
		"gas_limit":      "gas", "tx_cost_multiplier": "a factor", "face_value_source": "where an amount comes from",
		"spare_face_values": "a number of face values", "data.price": "an object, see price_per_unit", "batch.price": "the same",
		"params.price": "the same", "next_params.price": "the same", "max_prices": "a list", "capabilities_prices": "a list", "data.funded": "an object with amounts",
	}
}

// numbers are the fields that are JSON numbers and neither counts nor nonces.
func numbers() []string {
	return []string{
		"version", "exit_code", "pid", "duration_ms", "expected_wins", "chance", "risk", "confidence",
		"days_low", "days_median", "days_high", "probability_at_most", "probability_at_least",
	}
}

// field is a field of a document, wherever a schema has it.
type field struct {
	// path names the objects that the field is in.
	path, name string

	// kind is the name of its definition in common.json, else its JSON type.
	kind string

	siblings map[string]any
	required []string
}

func (f field) String() string { return f.path + "." + f.name }

// in reports whether a list has the field, as NAME or as PARENT.NAME.
func in(list map[string]string, f field) bool {
	_, named := list[f.name]
	_, placed := list[f.path[strings.LastIndexByte(f.path, '.')+1:]+"."+f.name]
	return named || placed
}

// fault says what is wrong with a field, "" if nothing is.
func fault(f field) string {
	if better, bad := names()[f.name]; bad && !in(allowedNames(), f) {
		return "is called " + better + " in the documents"
	}
	stem, isWei := strings.CutSuffix(f.name, "_wei")
	exactStem, isExact := strings.CutSuffix(f.name, "_exact")
	switch {
	case isExact:
		stem = exactStem
		fallthrough
	case isWei:
		for _, pair := range []string{stem + "_wei", stem + "_exact"} {
			if f.siblings[pair] == nil || slices.Contains(f.required, pair) != slices.Contains(f.required, f.name) {
				return "must be there with " + pair
			}
		}
		if want := map[bool]string{true: "wei", false: "exact"}[isWei]; f.kind != want {
			return fmt.Sprintf("is %s, must be #/$defs/%s", f.kind, want)
		}
	case f.kind == "exact" || slices.Contains(strings.Split(f.name, "_"), "ev"):
		return "is an exact amount: write it as _wei and _exact"
	case amounts.MatchString(f.name) && f.kind != "wei" && !in(notAmounts(), f):
		return fmt.Sprintf("is %s: an amount is #/$defs/wei", f.kind)
	case f.kind == "integer" && !slices.Contains(numbers(), f.name):
		return "is a JSON number: a count is #/$defs/number, an amount #/$defs/wei"
	case f.kind == "decimal":
		return "is a decimal string of its own: use #/$defs/wei, uint or int"
	case strings.HasSuffix(f.name, "_at") && f.kind != "time":
		return fmt.Sprintf("is %s, must be #/$defs/time", f.kind)
	case slices.Contains([]string{"sender", "recipient", "from"}, f.name) && f.kind != "address":
		return fmt.Sprintf("is %s, must be #/$defs/address", f.kind)
	}
	return ""
}

// TestOneNameForOneThing walks every field of every document.
func TestOneNameForOneThing(t *testing.T) {
	files, err := fs.Glob(Files, "pmctl.*.json")
	require.NoError(t, err)
	seen := 0
	for _, file := range files {
		for _, f := range fieldsOf(t, file) {
			seen++
			if found := fault(f); found != "" {
				t.Errorf("%s %s", f, found)
			}
		}
	}
	require.Greater(t, seen, 400)
}

// TestFaultsOfNamesAreFound shows that each rule finds what breaks it.
func TestFaultsOfNamesAreFound(t *testing.T) {
	pair := map[string]any{"ticket_ev_wei": 1, "ticket_ev_exact": 1}
	for _, c := range []struct {
		field field
		says  string
	}{
		{field{"pmctl.x.data", "tx_hash", "hash", nil, nil}, "transaction_hash"},
		{field{"pmctl.x.data", "expiration", "int", nil, nil}, "expires_at"},
		{field{"pmctl.x.data", "ev_per_day", "wei", nil, nil}, "_wei and _exact"},
		{field{"pmctl.x.data", "ticket_ev_wei", "wei", map[string]any{"ticket_ev_wei": 1}, nil}, "with ticket_ev_exact"},
		{field{"pmctl.x.data", "ticket_ev_exact", "exact", pair, []string{"ticket_ev_exact"}}, "with ticket_ev_wei"},
		{field{"pmctl.x.data", "ticket_ev_exact", "wei", pair, nil}, "must be #/$defs/exact"},
		{field{"pmctl.x.data", "price", "exact", nil, nil}, "_wei and _exact"},
		{field{"pmctl.x.data", "deposit", "string", nil, nil}, "#/$defs/wei"},
		{field{"pmctl.x.data", "max_fee", "number", nil, nil}, "#/$defs/wei"},
		{field{"pmctl.x.data", "size", "integer", nil, nil}, "#/$defs/number"},
		{field{"pmctl.x.data", "ready_at", "number", nil, nil}, "#/$defs/time"},
		{field{"pmctl.x.settings", "from", "string", nil, nil}, "#/$defs/address"},
	} {
		require.Contains(t, fault(c.field), c.says, c.field)
	}
	require.Empty(t, fault(field{"pmctl.x.auth_token", "expiration", "int", nil, nil}))
	require.Empty(t, fault(field{"pmctl.x.data", "ticket_ev_exact", "exact", pair, nil}))
}

// fieldsOf returns the fields of a schema, with those of what it refers to.
func fieldsOf(t *testing.T, file string) (found []field) {
	documents := make(map[string]map[string]any)
	read := func(name string) map[string]any {
		if documents[name] == nil {
			text, err := Files.ReadFile(name)
			require.NoError(t, err)
			var schema map[string]any
			require.NoError(t, json.Unmarshal(text, &schema))
			documents[name] = schema
		}
		return documents[name]
	}
	var walk func(in string, schema map[string]any, path, name string) string
	walk = func(in string, schema map[string]any, path, name string) string {
		kind, _ := schema["type"].(string)
		if ref, ok := schema["$ref"].(string); ok {
			other, at, _ := strings.Cut(ref, "#/$defs/")
			if other == "" {
				other = in
			}
			target, ok := read(other)["$defs"].(map[string]any)[at].(map[string]any)
			require.True(t, ok, "%s: %s", in, ref)
			if kind = walk(other, target, path, name); kind != "object" {
				kind = at
			}
			return kind
		}
		if pattern, ok := schema["pattern"].(string); ok && in != "common.json" && strings.Contains(pattern, "[0-9]*") {
			kind = "decimal"
		}
		if items, ok := schema["items"].(map[string]any); ok {
			if kind = walk(in, items, path, name); kind == "string" || kind == "object" {
				kind = "array"
			}
		}
		properties, _ := schema["properties"].(map[string]any)
		var required []string
		for _, name := range list(schema["required"]) {
			required = append(required, name.(string))
		}
		for _, key := range slices.Sorted(maps.Keys(properties)) {
			f := field{path: path, name: key, siblings: properties, required: required}
			f.kind = walk(in, properties[key].(map[string]any), path+"."+key, key)
			found = append(found, f)
		}
		for _, key := range []string{"allOf", "anyOf", "oneOf"} {
			for _, part := range list(schema[key]) {
				walk(in, part.(map[string]any), path, name)
			}
		}
		return kind
	}
	schema := read(file)
	name := strings.TrimSuffix(file, ".json")
	walk(file, schema, name, "")
	definitions, _ := schema["$defs"].(map[string]any)
	for part, definition := range definitions {
		walk(file, definition.(map[string]any), name+"#"+part, part)
	}
	return found
}

func list(v any) []any {
	all, _ := v.([]any)
	return all
}
