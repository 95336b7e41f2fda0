package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/pmctl/pmctl/cmd"
	"github.com/pmctl/pmctl/internal/hint/hinttest"
)

// The tests that compiled this program check documents at the socket of checkerVariable, and leave
// a mark for each kind in the folder of kindsVariable.
const (
	checkerVariable = "PMCTL_TEST_DOCUMENTS"
	kindsVariable   = "PMCTL_TEST_KINDS"
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

// documented runs pmctl and has every document that it wrote held against its schema, unless the
// user has it print something else.
func documented(env *cmd.Env, run func(*cmd.Env) int) int {
	if slices.ContainsFunc(os.Args, func(arg string) bool {
		return strings.HasPrefix(arg, "--jq") || strings.HasPrefix(arg, "--template")
	}) {
		return run(env)
	}
	out, err := &recorder{w: env.Out}, &recorder{w: env.Err, lines: true}
	env.Out, env.Err = out, err
	code := run(env)
	if err := hinttest.Check(cmd.Tree, os.Args[1:], err.all.String()); err != nil {
		return undocumented(err)
	}
	if err := err.silent(); err != nil && !env.ErrTerminal && asksForJSON(os.Args) {
		return undocumented(err)
	}
	for _, written := range []*recorder{out, err} {
		if err := conform(written.kept.Bytes(), code == 0); err != nil {
			return undocumented(err)
		}
	}
	return code
}

func undocumented(err error) int {
	fmt.Fprintf(os.Stderr, "NOT AS DOCUMENTED: %v\n", err)
	return exitUndocumented
}

// conform asks the tests whether a stream of documents is what the schemas say. They know the
// schemas already; to read them here would double the time that this program takes.
func conform(stream []byte, whole bool) error {
	if len(stream) == 0 {
		return nil
	}
	checker, err := net.Dial("unix", os.Getenv(checkerVariable))
	if err != nil {
		return err
	}
	defer checker.Close()
	question, err := json.Marshal(map[string]any{"kinds": os.Getenv(kindsVariable), "whole": whole, "stream": stream})
	if err != nil {
		return err
	}
	if _, err := checker.Write(question); err != nil {
		return err
	}
	verdict, err := io.ReadAll(checker)
	if err == nil && string(verdict) != "ok" {
		err = errors.New(string(verdict))
	}
	return err
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
