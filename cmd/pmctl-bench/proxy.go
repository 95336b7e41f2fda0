package main

import (
	"net"
	"net/url"
	"sync"
	"time"
)

// proxy adds the delay of a distant server: opening a connection takes a round trip, and data
// half of one each way.
type proxy struct {
	url      string
	listener net.Listener
	mu       sync.Mutex
	conns    map[net.Conn]bool
	done     sync.WaitGroup
}

func newProxy(server string, roundTrip time.Duration) (*proxy, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{url: "http://" + listener.Addr().String(), listener: listener, conns: make(map[net.Conn]bool)}
	p.done.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			p.done.Go(func() { p.serve(near, u.Host, roundTrip) })
		}
	})
	return p, nil
}

func (p *proxy) serve(near net.Conn, server string, roundTrip time.Duration) {
	defer near.Close()
	time.Sleep(roundTrip)
	far, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer far.Close()
	p.mu.Lock()
	p.conns[near], p.conns[far] = true, true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.conns, near)
		delete(p.conns, far)
		p.mu.Unlock()
	}()
	var both sync.WaitGroup
	both.Go(func() { carry(far, near, roundTrip/2) })
	both.Go(func() { carry(near, far, roundTrip/2) })
	both.Wait()
}

// carry copies from from to to, each piece after the delay.
func carry(to, from net.Conn, late time.Duration) {
	type piece struct {
		data []byte
		due  time.Time
	}
	way := make(chan piece, 1024)
	go func() {
		defer close(way)
		for {
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			if n > 0 {
				way <- piece{data[:n], time.Now().Add(late)}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range way {
		time.Sleep(time.Until(p.due))
		if _, err := to.Write(p.data); err != nil {
			break
		}
	}
	// Open connections are closed, and their readers end.
	to.Close()
	from.Close()
	for range way {
	}
}

func (p *proxy) close() {
	p.listener.Close()
	p.mu.Lock()
	for conn := range p.conns {
		conn.Close()
	}
	p.mu.Unlock()
	p.done.Wait()
}
