package model

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pmctl/pmctl/cmd"
)

// Exit codes, as pmctl promises them.
const (
	exitDone        = 0
	exitUnreachable = 7
	exitOpen        = 8
	exitInterrupted = 130
)

// command is one run of pmctl, in this process. Each of its requests, and each write to its
// stdout and stderr, waits until the scheduler releases it.
type command struct {
	world   *world
	name    string
	line    string
	patient bool // it has no time limit that could end it
	ctx     context.Context
	cancel  context.CancelFunc

	out, errs bytes.Buffer
	lock      string // the file that shows other runs that it is alive
	sent      []sentTransaction
	want      *want // what it attempts; nil for others
	heard     bool  // the user has seen its output
	block     int64 // the newest when it began to write its result
	code      int
	ended     bool
	dead      bool // killed
	gone      chan struct{}
}

// parked is an action that a command is about to take.
type parked struct {
	command *command
	node    string // the node of the request, "any" for a balancer's choice
	what    string
	list    []rpcRequest
	batch   bool
	to      *bytes.Buffer // a write's
	text    []byte
	resume  chan reply
}

// asked describes it, without the IDs of requests and their order in a batch, which follow the
// order of goroutines.
func (p *parked) asked() string {
	var all []string
	for _, req := range p.list {
		all = append(all, fmt.Sprintf("%s %s", req.Method, req.Params))
	}
	slices.Sort(all)
	return string(p.text) + strings.Join(all, "\n")
}

// reply is the result of an action.
type reply struct {
	body []byte
	cut  bool // the connection was lost, or the process has been killed
}

func (p *parked) String() string {
	where := ""
	if p.node != "" {
		where = " at " + p.node
	}
	return p.command.name + ": " + p.what + where
}

var errGone = errors.New("this process was killed")

// sink is a standard stream.
type sink struct {
	command *command
	what    string
	to      *bytes.Buffer
}

func (s sink) Write(text []byte) (int, error) {
	if c := s.command; s.to == &c.out && c.out.Len() == 0 {
		c.block = c.world.ledger.tip().header.Number.Int64()
	}
	p := &parked{command: s.command, what: s.what, to: s.to, text: bytes.Clone(text), resume: make(chan reply, 1)}
	if !s.command.world.park(p) || (<-p.resume).cut {
		return 0, errGone
	}
	return len(text), nil
}

// start runs a command line. route is the node that it asks: one by name, "any" for one behind
// a balancer, "all" for all of them in turn.
func (w *world) start(line, route string, patient bool) *command {
	w.commands++
	c := &command{world: w, name: fmt.Sprintf("run%d", w.commands), line: line, patient: patient, gone: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	timeout := "20.0137s" // never at the same moment as another event
	if patient {
		timeout = "9000h"
	}
	config := filepath.Join(w.folder, c.name)
	hosts := []string{route}
	if route == "all" {
		hosts = []string{w.nodes[0].name, w.nodes[1].name, w.nodes[2].name}
	}
	for i, host := range hosts {
		hosts[i] = fmt.Sprintf("%q", "http://"+host+"."+c.name+"."+w.line.name)
	}
	w.must(os.MkdirAll(filepath.Join(config, "pmctl"), 0o700))
	w.must(os.WriteFile(filepath.Join(config, "pmctl", "config.toml"), []byte("rpc_urls = ["+strings.Join(hosts, ", ")+"]\n"), 0o600))
	env := map[string]string{
		"XDG_STATE_HOME": w.folder, "XDG_CACHE_HOME": w.folder, "XDG_CONFIG_HOME": config,
		"ETH_KEYSTORE": w.suite.keys, "ETH_PASSWORD": w.suite.passphrase, "PMCTL_AGENT": "off",
	}
	words := append(strings.Fields(line), "--output=json")
	for flag, value := range map[string]string{
		"controller": w.suite.origin.contracts["Controller"].Hex(), "chain-id": w.ledger.rules.ChainID.String(), "timeout": timeout,
	} {
		if w.suite.knows(line, flag) {
			words = append(words, "--"+flag+"="+value)
		}
	}
	w.running, w.history = append(w.running, c), append(w.history, c)
	go func() {
		defer close(c.gone)
		c.code = cmd.Main(c.ctx, words, &cmd.Env{
			In:     strings.NewReader(""),
			Out:    sink{c, "stdout", &c.out},
			Err:    sink{c, "stderr", &c.errs},
			Getenv: func(name string) string { return env[name] },
			Now:    time.Now,
		})
	}()
	w.settle(c)
	return c
}

// over reports whether the command has returned.
func (c *command) over() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

// findLock records the lock that the command created in its last step.
func (c *command) findLock() {
	found, _ := filepath.Glob(filepath.Join(c.world.folder, "pmctl", "store.db.runs", "*"))
	for _, name := range found {
		if !c.world.locks[name] {
			c.world.locks[name] = true
			c.lock = name
		}
	}
}

// kill ends a command as SIGKILL does, before the action that it was about to take: from here
// on it does nothing, and the system releases its lock.
func (c *command) kill() {
	c.dead, c.ended, c.code = true, true, -1
	if c.lock == "" {
		return
	}
	if _, err := os.Stat(c.lock); err == nil {
		c.world.must(os.Remove(c.lock))
		c.world.must(os.WriteFile(c.lock, nil, 0o600))
	}
}
