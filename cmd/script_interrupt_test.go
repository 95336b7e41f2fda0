package cmd

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// interrupt runs a program, sends it SIGINT once it is busy, and wants exit code
// 130, or the one that is named, soon after:
//
//	interrupt [-exit CODE] stderr PATTERN PROGRAM ARGS…   busy when stderr has a line like PATTERN
//	interrupt [-exit CODE] accept PROGRAM ARGS…           busy when it has asked HANG something
//	interrupt [-exit CODE] open FIFO PROGRAM ARGS…        busy when it reads FIFO, which stays empty
//
// The word HANG in ARGS stands for the address (host:port) of a server that
// accepts and never answers.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	want := exitCancelled
	if len(args) > 2 && args[0] == "-exit" {
		var err error
		want, err = strconv.Atoi(args[1])
		ts.Check(err)
		args = args[2:]
	}
	if neg || len(args) < 2 {
		ts.Fatalf("usage: interrupt [-exit CODE] stderr PATTERN PROGRAM ARGS… | interrupt [-exit CODE] accept PROGRAM ARGS…")
	}
	busy := make(chan struct{})
	var pattern *regexp.Regexp
	switch args[0] {
	case "stderr":
		pattern = regexp.MustCompile(args[1])
		args = args[2:]
	case "accept":
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer listener.Close()
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			in := bufio.NewReader(conn)
			if _, err := in.ReadByte(); err != nil {
				return
			}
			close(busy)
			// Hold the connection until the client goes.
			_, _ = in.WriteTo(discard{})
		}()
		args = args[1:]
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "HANG", listener.Addr().String())
		}
	case "open":
		fifo := ts.MkAbs(args[1])
		args = args[2:]
		ended := make(chan struct{})
		defer close(ended)
		go openAsWriter(fifo, busy, ended)
	default:
		ts.Fatalf("interrupt: unknown trigger %q", args[0])
	}

	path, err := exec.LookPath(args[0])
	ts.Check(err)
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = scriptEnv(ts)
	stderr, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	said := make(chan string, 1)
	go func() {
		var all strings.Builder
		seen := false
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			all.WriteString(lines.Text() + "\n")
			if pattern != nil && !seen && pattern.MatchString(lines.Text()) {
				seen = true
				close(busy)
			}
		}
		said <- all.String()
	}()
	const patience = 30 * time.Second
	select {
	case <-busy:
	case text := <-said:
		_ = cmd.Wait()
		ts.Fatalf("%s ended before it was interrupted: %s", args[0], text)
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		ts.Fatalf("%s was never busy", args[0])
	}
	ts.Check(cmd.Process.Signal(syscall.SIGINT))
	select {
	case text := <-said:
		err := cmd.Wait()
		_, writeErr := io.WriteString(ts.Stderr(), text)
		ts.Check(writeErr)
		if got := cmd.ProcessState.ExitCode(); got != want {
			ts.Fatalf("after SIGINT: %v, want exit code %d", err, want)
		}
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		ts.Fatalf("%s did not end after SIGINT", args[0])
	}
}

// openAsWriter opens a named pipe once a reader has opened it, as a writer that never writes,
// and closes busy. It keeps the pipe open until ended is closed.
func openAsWriter(fifo string, busy chan<- struct{}, ended <-chan struct{}) {
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for {
		writer, err := os.OpenFile(fifo, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			defer writer.Close()
			close(busy)
			<-ended
			return
		}
		select {
		case <-retry.C:
		case <-ended:
			return
		}
	}
}

// scriptEnv is the script's environment as far as pmctl reads it.
func scriptEnv(ts *testscript.TestScript) []string {
	env := os.Environ()
	for _, name := range []string{
		"PATH", "HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "NO_COLOR",
		"ETH_RPC_URL", "ETH_FROM", "ETH_KEYSTORE", "ETH_PASSWORD", "PMCTL_NETWORK",
	} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
