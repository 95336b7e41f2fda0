package cmd

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// upon runs a program, makes a request once its stderr has a line like PATTERN, and
// wants exit code 0, or the one that is named:
//
//	upon [-exit CODE] PATTERN METHOD URL PROGRAM ARGS…
func upon(ts *testscript.TestScript, neg bool, args []string) {
	want := exitDone
	if len(args) > 2 && args[0] == "-exit" {
		var err error
		want, err = strconv.Atoi(args[1])
		ts.Check(err)
		args = args[2:]
	}
	if neg || len(args) < 4 {
		ts.Fatalf("usage: upon [-exit CODE] PATTERN METHOD URL PROGRAM ARGS…")
	}
	pattern := regexp.MustCompile(args[0])
	path, err := exec.LookPath(args[3])
	ts.Check(err)
	cmd := exec.Command(path, args[4:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = scriptEnv(ts)
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	asked := false
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		fmt.Fprintln(ts.Stderr(), lines.Text())
		if !asked && pattern.MatchString(lines.Text()) {
			asked = true
			ts.Check(ask(args[1], args[2]))
		}
	}
	err = cmd.Wait()
	_, writeErr := ts.Stdout().Write(stdout.Bytes())
	ts.Check(writeErr)
	if !asked {
		ts.Fatalf("%s never said %q", args[3], args[0])
	}
	got := exitDone
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func ask(method, url string) error {
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, url, res.Status)
	}
	return nil
}
