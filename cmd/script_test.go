package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/cmd/pmctl-documented/documents"
	"github.com/pmctl/pmctl/internal/oneday"
	"github.com/pmctl/pmctl/wallet/store/pgtest"
)

// TestMain has scripts and tests find pmctl in $PATH, and lets the test binary be other programs.
func TestMain(m *testing.M) { testscript.Main(serving{m}, programs()) }

// notInShort passes over a proof that is long. The race detector, which runs in short for
// each change, reaches the same code in other tests, and runs this one every night.
func notInShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it is long")
	}
}

// server is started by the first test that needs PostgreSQL.
var server pgtest.Server

// What the pmctl of the tests reads: who checks its documents, and where each kind leaves a mark.
const (
	checkerVariable = "PMCTL_TEST_DOCUMENTS"
	kindsVariable   = "PMCTL_TEST_KINDS"
)

// serving compiles pmctl before the tests run, checks what it writes, and ends the server after
// them.
type serving struct{ m *testing.M }

func (s serving) Run() int {
	defer server.Stop()
	if signal.Ignored(syscall.SIGHUP) { // as below nohup: the scripts' commands would go on when they hang up
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	bin, err := os.MkdirTemp("", "pmctl-bin-")
	if err == nil {
		defer os.RemoveAll(bin)
		err = compile(bin)
	}
	var checker net.Listener
	if err == nil {
		checker, err = net.Listen("unix", filepath.Join(bin, "checker"))
	}
	if err == nil {
		defer checker.Close()
		go func() { _ = documents.Serve(checker) }()
		err = os.Setenv(checkerVariable, checker.Addr().String())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return s.m.Run()
}

// compile puts the pmctl that checks what it writes into a folder, which becomes the first in $PATH.
func compile(bin string) error {
	args := []string{"build", "-buildvcs=false", "-ldflags=-s -w", "-o", filepath.Join(bin, "pmctl")}
	if setting("-race") == "true" {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "./pmctl-documented")...).CombinedOutput(); err != nil {
		return fmt.Errorf("compile pmctl: %w\n%s", err, out)
	}
	return os.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

// setting returns what the test binary was built with.
func setting(key string) string {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// TestScripts runs every script of testdata: the command line as a user sees it.
func TestScripts(t *testing.T) {
	t.Parallel()
	var begun atomic.Int32
	kinds := t.TempDir()
	t.Cleanup(func() {
		if scripts, _ := filepath.Glob("testdata/*.txtar"); !t.Failed() && !testing.Short() && int(begun.Load()) == len(scripts) {
			checkEveryKind(t, kinds)
		}
	})
	runScripts(t, "testdata", map[string]string{kindsVariable: kinds}, &begun)
}

// TestScriptsOnPostgreSQL runs the scripts of a fleet that shares the store $DATABASE,
// of which $PASSWORD is no part.
func TestScriptsOnPostgreSQL(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(server.Database(t))
	require.NoError(t, err)
	password, _ := u.User.Password()
	u.User = url.User(u.User.Username())
	runScripts(t, "testdata/postgres", map[string]string{"DATABASE": u.String(), "ADDRESS": u.Host, "PASSWORD": password, kindsVariable: t.TempDir()}, new(atomic.Int32))
}

// runScripts runs the scripts of a folder, and counts those that began.
func runScripts(t *testing.T, dir string, variables map[string]string, begun *atomic.Int32) {
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			begun.Add(1)
			if err := oneday.Begin(t.Context(), 2*time.Minute); err != nil {
				return err
			}
			home := filepath.Join(env.WorkDir, "home")
			env.Setenv("HOME", home)
			env.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
			env.Setenv("XDG_DATA_HOME", filepath.Join(home, "data"))
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
			env.Setenv("NO_COLOR", "1")
			env.Setenv(checkerVariable, os.Getenv(checkerVariable))
			env.Setenv("GORACE", os.Getenv("GORACE")) // without which every program sleeps for a second at its end
			for name, value := range variables {
				env.Setenv(name, value)
			}
			return os.MkdirAll(home, 0o700)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"account":   makeAccount,
			"exits":     exits,
			"http":      httpRequest,
			"field":     fieldOf,
			"devnet":    startDevnet,
			"offer":     makeOffer,
			"interrupt": interrupt,
			"upon":      upon,
			"flip":      flip,
			"counting":  startCounting,
			"asked":     asked,
			"agents":    endAgents,
			"liar":      startLiar,
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "cgo":
				return setting("CGO_ENABLED") == "1", nil
			case "bash-completion":
				_, err := os.Stat(bashCompletion)
				return err == nil, nil
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		RequireExplicitExec: true,
	})
}

// exits runs a command and checks its exit code: exits CODE PROGRAM ARGS…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s: exit code %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// httpRequest makes a request and prints the answer's body: http METHOD URL. It
// fails when the answer's status is no success.
func httpRequest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: http METHOD URL")
	}
	req, err := http.NewRequest(args[0], args[1], nil)
	ts.Check(err)
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	ts.Check(err)
	if res.StatusCode/100 != 2 {
		ts.Fatalf("%s %s: %s: %s", args[0], args[1], res.Status, body)
	}
	_, err = ts.Stdout().Write(body)
	ts.Check(err)
}

// fieldOf sets a variable to a field of a JSON document: field NAME FILE PATH,
// where PATH names object fields and list indexes with dots between them.
func fieldOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: field NAME FILE PATH")
	}
	var value any
	decoder := json.NewDecoder(strings.NewReader(ts.ReadFile(args[1])))
	decoder.UseNumber()
	ts.Check(decoder.Decode(&value))
	for _, step := range strings.Split(args[2], ".") {
		switch v := value.(type) {
		case map[string]any:
			inner, ok := v[step]
			if !ok {
				ts.Fatalf("%s: no field %q", args[2], step)
			}
			value = inner
		case []any:
			i, err := strconv.Atoi(step)
			ts.Check(err)
			if i >= len(v) {
				ts.Fatalf("%s: %d entries", args[2], len(v))
			}
			value = v[i]
		default:
			ts.Fatalf("%s: %q is neither an object nor a list", args[2], step)
		}
	}
	ts.Setenv(args[0], fmt.Sprint(value))
}
