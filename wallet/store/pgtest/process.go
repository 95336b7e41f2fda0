package pgtest

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// programs finds the folder with PostgreSQL's programs: the newest of Debian's, which are not
// in the PATH, or those in the PATH.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int {
			return cmp.Or(len(a)-len(b), strings.Compare(a, b))
		})), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errNotInstalled
	}
	return filepath.Dir(path), nil
}

// command is one of PostgreSQL's programs, run as a user that it accepts.
func (s *Server) command(name string, args ...string) (*exec.Cmd, error) {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	return cmd, unprivileged(cmd, s.dir)
}

// freePort is an unused port outside of the range for outgoing connections, since one of these
// could connect to itself while the server is down.
func freePort() (int, error) {
	for range 100 {
		port := 20000 + rand.IntN(10000)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, listener.Close()
		}
	}
	return 0, errors.New("no port is free")
}

// process is a running server.
type process struct {
	cmd *exec.Cmd
	// gone is closed when all processes of the server have ended.
	gone chan struct{}
}

// start starts the server, and returns when it answers.
func (s *Server) start() error {
	cmd, err := s.command("postgres", "-D", filepath.Join(s.dir, "data"), "-p", fmt.Sprint(s.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "shared_buffers=16MB")
	if err != nil {
		return err
	}
	// Every process of the server has the log open: it ends with the last of them.
	log, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd.Stderr = writer
	started, reaped := make(chan error), make(chan struct{})
	go func() {
		defer close(reaped)
		// The server dies with the thread that started it, so that none is left when the test
		// binary is killed.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	err = <-started
	writer.Close()
	if err != nil {
		log.Close()
		return err
	}
	p := &process{cmd: cmd, gone: make(chan struct{})}
	ready := make(chan string, 1)
	go func() {
		defer close(p.gone)
		defer func() { <-reaped }() // until then the next server takes it for one that runs
		defer log.Close()
		var last []string
		said := false
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if said {
				continue // the caller has given up
			}
			last = append(last, lines.Text())
			if strings.Contains(lines.Text(), "ready to accept") {
				said = true
				ready <- ""
			}
		}
		if !said {
			ready <- strings.Join(last, "\n")
		}
	}()
	select {
	case log := <-ready:
		if log != "" {
			return fmt.Errorf("it did not start:\n%s", log)
		}
		s.process = p
		return nil
	case <-time.After(patience):
		return errors.Join(errors.New("it does not start"), p.end(os.Kill))
	}
}

// end sends a signal to the server and waits for the end of all its processes.
func (p *process) end(signal os.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.gone:
		return nil
	case <-time.After(patience):
		return errors.New("the server does not end")
	}
}
