package runners

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// serveCall answers a single-shot call: a challenge, or the app once the call is paid.
func (s *Runners) serveCall(w http.ResponseWriter, req *http.Request) {
	begun := s.beginPaid(w, req, SingleShot, "live runner is not single-shot")
	if begun == nil {
		return
	}
	defer s.stop(begun)
	s.serveApp(w, req, begun)
}

// serveSessionApp answers a call in a session.
func (s *Runners) serveSessionApp(w http.ResponseWriter, req *http.Request) {
	of, err := s.open(req.PathValue("runner"), req.PathValue("id"))
	if err != nil {
		Answer(w, err)
		return
	}
	s.serveApp(w, req, of)
}

// serveApp is the app: it sends back what it gets, as it comes.
func (s *Runners) serveApp(w http.ResponseWriter, req *http.Request, of *session) {
	s.mu.Lock()
	delay, fail := of.runner.Delay, of.runner.Fail
	s.mu.Unlock()
	if delay > 0 {
		late := time.NewTimer(delay)
		defer late.Stop()
		select {
		case <-late.C:
		case <-req.Context().Done():
			return
		}
	}
	if fail != 0 {
		http.Error(w, "the app failed", fail)
		return
	}
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex() // HTTP/2 has no need of it
	buffer, empty := make([]byte, 32<<10), true
	for {
		n, err := req.Body.Read(buffer)
		if n > 0 {
			empty = false
			if _, failed := w.Write(buffer[:n]); failed != nil {
				return
			}
			_ = control.Flush()
			if _, ended := s.open(of.runner.Name, of.id); ended != nil {
				panic(http.ErrAbortHandler)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	if empty {
		fmt.Fprintf(w, "%s %s\n", req.Method, req.URL.RequestURI())
	}
}
