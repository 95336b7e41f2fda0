// Package systemd speaks to the service manager that started the process: it reports the
// process's state, and takes over its sockets. Without a service manager it does nothing.
package systemd

import (
	"context"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// States of a service, for Manager.Notify.
const (
	Ready    = "READY=1"
	Stopping = "STOPPING=1"
	watchdog = "WATCHDOG=1"
)

// Reloading is the state of a service that reads its settings again, with the time at which it
// began: from that a service of Type=notify-reload is known to have heard the manager's signal.
func Reloading() string { return "RELOADING=1" + monotonic() }

// Manager is the service manager; the zero value is none.
type Manager struct {
	socket string
	every  time.Duration
}

// FromEnvironment returns the manager that the variables NOTIFY_SOCKET, WATCHDOG_USEC and
// WATCHDOG_PID name.
func FromEnvironment(getenv func(string) string) Manager {
	m := Manager{socket: getenv("NOTIFY_SOCKET")}
	pid := getenv("WATCHDOG_PID")
	if usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64); err == nil && usec > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		m.every = time.Duration(usec) * time.Microsecond / 2
	}
	return m
}

// Notify reports states and variables such as STATUS=text, each without a line break.
func (m Manager) Notify(states ...string) error {
	if m.socket == "" {
		return nil
	}
	connection, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: m.socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer connection.Close()
	_, err = connection.Write([]byte(strings.Join(states, "\n")))
	return err
}

// Watch tells the manager's watchdog that the process works, twice in its time, for as long as
// alive reports that, until ctx ends.
func (m Manager) Watch(ctx context.Context, alive func() bool) {
	if m.socket == "" || m.every <= 0 {
		return
	}
	ticks := time.NewTicker(m.every)
	defer ticks.Stop()
	for {
		if alive() {
			_ = m.Notify(watchdog) // without which the manager restarts the process, as it should
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}
