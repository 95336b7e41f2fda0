package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet/format"
)

// filtering runs a command that writes documents, and returns what the user sees of it.
type filtering struct {
	env Env
	// write writes the documents.
	write func(ctx context.Context, r *Run) error
	ran   bool
}

func (f *filtering) run(ctx context.Context, args ...string) (out, err string, code int) {
	var stdout, stderr bytes.Buffer
	f.env.Out, f.env.Err = &stdout, &stderr
	f.env.Getenv = func(string) string { return "secret" }
	r := NewRun(&f.env)
	root := &cobra.Command{
		Use: "pmctl", SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return Start(r, cmd) },
	}
	cmd := &cobra.Command{Use: "do", RunE: func(cmd *cobra.Command, _ []string) error {
		f.ran = true
		return f.write(cmd.Context(), r)
	}}
	r.OutputFlag(cmd, OutputTable, OutputJSON, format.NDJSON, OutputCSV)
	root.AddCommand(cmd)
	code = Execute(ctx, r, root, append([]string{"do"}, args...), func(err error) error { return err })
	return stdout.String(), stderr.String(), code
}

// shop is a document with numbers that no float holds.
func shop(_ context.Context, r *Run) error {
	return r.Emit("pmctl.shop", map[string]any{
		"round": uint64(1<<53 + 1), "most": uint64(1<<64 - 1), "wei": "3500000000000000001", "name": "a \"b\" <c>", "yes": true, "share": 0.25,
		"list": []int{1, 2}, "none": nil,
	}, func(*page.Page) { panic("JSON is asked for") })
}

func TestJQ(t *testing.T) {
	for expression, want := range map[string]string{
		".kind, .version":                "pmctl.shop\n2\n",
		".data.round":                    "9007199254740993\n",
		".data.round + 1":                "9007199254740994\n",
		".data.most":                     "18446744073709551615\n",
		".data.most + 1":                 "18446744073709551616\n",
		".data.wei":                      "3500000000000000001\n",
		".data.wei | tonumber + 1":       "3500000000000000002\n",
		"{round: .data.round}":           `{"round":9007199254740993}` + "\n",
		".data.name":                     "a \"b\" <c>\n",
		"[.data.name]":                   `["a \"b\" <c>"]` + "\n",
		".data.yes, .data.share":         "true\n0.25\n",
		".data.list[]":                   "1\n2\n",
		".data.list":                     "[1,2]\n",
		".data.none, .data.absent":       "\n\n",
		"empty":                          "",
		"1, halt, 2":                     "1\n",
		`select(.kind == "pmctl.other")`: "",
		"$ENV, env":                      "{}\n{}\n", // nothing of the environment, which has secrets
		"$ENV.HOME":                      "\n",
		"[limit(3; repeat(1))]":          "[1,1,1]\n",
	} {
		t.Run(expression, func(t *testing.T) {
			f := &filtering{write: shop}
			out, err, code := f.run(t.Context(), "--jq", expression)
			require.Zero(t, code, err)
			require.Empty(t, err)
			require.Equal(t, want, out)
		})
	}
}

func TestTemplates(t *testing.T) {
	for text, want := range map[string]string{
		"{{.kind}} {{.version}}":                             "pmctl.shop 2\n",
		"{{.data.round}} {{.data.most}}":                     "9007199254740993 18446744073709551615\n",
		"{{if eq .data.round 9007199254740993}}exact{{end}}": "exact\n",
		"{{if gt .data.share 0.2}}more{{end}}":               "more\n",
		"{{amount .data.wei}}":                               "3.500000000000000001 ETH\n",
		`{{join ", " .data.list}}`:                           "1, 2\n",
		"{{json .data.list}} {{json .data.most}}":            "[1,2] 18446744073709551615\n",
		"{{range .data.list}}{{.}}\n{{end}}":                 "1\n2\n",
		"{{.data.name}}":                                     "a \"b\" <c>\n",
		"{{.data.absent}}":                                   "<no value>\n",
		"{{if false}}x{{end}}":                               "",
	} {
		t.Run(text, func(t *testing.T) {
			f := &filtering{write: shop}
			out, err, code := f.run(t.Context(), "--template", text)
			require.Zero(t, code, err)
			require.Empty(t, err)
			require.Equal(t, want, out)
		})
	}
}

// TestAWrongFilterStopsTheCommand finds each mistake before the command does anything.
func TestAWrongFilterStopsTheCommand(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--jq", ""}, "--jq needs EXPR, and its value is empty"},
		{[]string{"--template", ""}, "--template needs TEXT, and its value is empty"},
		{[]string{"--jq", "input_filename"}, "--jq: function not defined: input_filename/0"},
		{[]string{"--jq", "bad("}, "--jq: unexpected EOF"},
		{[]string{"--jq", ".data["}, "--jq: unexpected EOF"},
		{[]string{"--jq", "nosuch"}, "--jq: function not defined: nosuch/0"},
		{[]string{"--jq", "$x"}, "--jq: variable not defined: $x"},
		{[]string{"--jq", "input"}, "--jq: input(s)/0 is not allowed"},
		{[]string{"--jq", "inputs"}, "--jq: input(s)/0 is not allowed"},
		{[]string{"--jq", "debug"}, "--jq: function not defined: debug/0"},
		{[]string{"--jq", "debug(.)"}, "--jq: function not defined: debug/1"},
		{[]string{"--jq", "stderr"}, "--jq: function not defined: stderr/0"},
		{[]string{"--jq", `import "a" as a; .`}, "--jq: "},
		{[]string{"--jq", `include "a"; .`}, "--jq: "},
		{[]string{"--template", "{{.data"}, "--template: template:1: unclosed action"},
		{[]string{"--template", "{{nosuch 1}}"}, `--template: template:1: function \"nosuch\" not defined`},
		{[]string{"--jq", ".", "--template", "x"}, "--jq and --template exclude each other"},
		{[]string{"--template", "x", "-o", "csv"}, "--template is for JSON documents: leave out --output csv"},
		{[]string{"--jq", ".", "--nosuch"}, "unknown flag"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			f := &filtering{write: shop}
			out, err, code := f.run(t.Context(), c.args...)
			require.False(t, f.ran)
			require.Equal(t, ExitUsage, code)
			require.Empty(t, out)
			require.Contains(t, err, `"code":"usage"`)
			require.Contains(t, err, c.says)
		})
	}
}

// TestTheDocumentIsKept prints a document on which an expression fails, whole.
func TestTheDocumentIsKept(t *testing.T) {
	for name, args := range map[string][]string{
		"a type":     {"--jq", ".data.list[], .data.wei[]"},
		"an error":   {"--jq", `error("no")`},
		"a halt":     {"--jq", `1, "no" | halt_error`},
		"a template": {"--template", "{{.kind}}{{.data.list.x}}"},
		"an amount":  {"--template", "{{amount .data.name}}"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &filtering{write: func(_ context.Context, r *Run) error {
				return r.EmitDone("the shop is open", "pmctl.shop", map[string]any{"list": []int{1}, "wei": "secret", "name": "secret"}, nil)
			}}
			out, err, code := f.run(t.Context(), args...)
			require.Equal(t, ExitNotMined, code)
			plainly := &filtering{write: f.write}
			whole, _, _ := plainly.run(t.Context(), "-o", "json")
			require.Equal(t, whole, out)
			require.Contains(t, err, `"code":"unreported"`)
			require.Contains(t, err, "the shop is open, but "+args[0]+" failed on the document, which is printed unchanged: ")
			require.NotContains(t, err, "secret")
		})
	}
}

// TestStreamsAreFilteredByDocument evaluates an expression on each document of a stream, however
// it is written. After a failure the rest passes unchanged.
func TestStreamsAreFilteredByDocument(t *testing.T) {
	documents := `{"n":1,"s":"}{\"\\"}` + "\n" + "{\n  \"n\": {}\n}\n" + `{"n":"x"}` + "\n"
	for _, size := range []int{1, 7, len(documents)} {
		f := &filtering{write: func(_ context.Context, r *Run) error {
			var failed error
			for rest := []byte(documents); len(rest) > 0; rest = rest[min(size, len(rest)):] {
				n, err := r.Out.Write(rest[:min(size, len(rest))])
				failed = errors.Join(failed, err)
				require.Equal(t, min(size, len(rest)), n)
			}
			return failed
		}}
		out, err, code := f.run(t.Context(), "-o", "ndjson", "--jq", ".n")
		require.Zero(t, code, err)
		require.Equal(t, "1\n{}\nx\n", out)

		out, err, code = f.run(t.Context(), "--jq", `.n + 1`)
		require.Equal(t, ExitFailed, code)
		require.Equal(t, "2\n"+strings.SplitN(documents, "\n", 2)[1], out)
		require.Equal(t, 1, strings.Count(err, "\n"))
	}
}

// TestAnUnfinishedDocumentIsPrinted keeps what a command wrote before it failed.
func TestAnUnfinishedDocumentIsPrinted(t *testing.T) {
	f := &filtering{write: func(_ context.Context, r *Run) error {
		fmt.Fprint(r.Out, `{"tickets":[1,`)
		return errors.New("stopped")
	}}
	out, err, code := f.run(t.Context(), "--jq", ".tickets")
	require.Equal(t, ExitFailed, code)
	require.Equal(t, `{"tickets":[1,`, out)
	require.Contains(t, err, "stopped")
}

// TestAnEndlessExpressionIsInterrupted ends what would never end, and keeps the document.
func TestAnEndlessExpressionIsInterrupted(t *testing.T) {
	for _, args := range [][]string{
		{"--jq", "def f: f; f"},
		{"--jq", "last(repeat(1))"},
		{"--template", "{{range 9223372036854775807}}x{{end}}"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		f := &filtering{write: func(_ context.Context, r *Run) error {
			return r.EmitDone("the shop is open", "pmctl.shop", map[string]any{"n": 1}, nil)
		}}
		out, err, code := f.run(ctx, args...)
		cancel()
		require.Equal(t, ExitNotMined, code)
		require.Contains(t, out, `"n": 1`)
		require.Contains(t, err, "the shop is open, but "+args[0]+" failed")
	}
}

// TestAnInterruptedCommandIsStillFiltered prints what an interrupted command reports.
func TestAnInterruptedCommandIsStillFiltered(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &filtering{write: func(ctx context.Context, r *Run) error {
		cancel()
		return shop(ctx, r)
	}}
	for _, args := range [][]string{{"--jq", ".data.round"}, {"--template", "{{.data.round}}"}} {
		out, err, code := f.run(ctx, args...)
		require.Zero(t, code, err)
		require.Equal(t, "9007199254740993\n", out)
	}
}

// TestFilteredOnATerminal indents objects, and lets no received text control the terminal. Errors
// are for people there.
func TestFilteredOnATerminal(t *testing.T) {
	size := func() (int, int) { return 80, 24 }
	f := &filtering{env: Env{OutTerminal: true, ErrTerminal: true, OutSize: size, ErrSize: size}, write: func(_ context.Context, r *Run) error {
		return r.Emit("pmctl.shop", map[string]any{"name": "\x1b[2Jgone\u202e\r\tx", "list": []int{1}}, nil)
	}}
	out, _, code := f.run(t.Context(), "--jq", ".data.name, .data.list")
	require.Zero(t, code)
	require.Equal(t, "\ufffd[2Jgone\ufffd \tx\n[\n  1\n]\n", out)
	_, err, code := f.run(t.Context(), "--jq", "bad(")
	require.Equal(t, ExitUsage, code)
	require.Contains(t, err, "pmctl: --jq: unexpected EOF\nhint: ")
}
