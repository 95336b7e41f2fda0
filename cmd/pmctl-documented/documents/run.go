// Package documents holds what pmctl writes in the tests against docs/schemas.
package documents

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/pmctl/pmctl/cmd/internal/cli"
)

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

// Run runs pmctl and holds every document that it wrote against its schema, unless the
// user has it print something else.
func Run(env *cli.Env, run func(*cli.Env) int) int {
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
		if err := Conform(written.kept.Bytes(), code == 0); err != nil {
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
