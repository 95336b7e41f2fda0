package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"

	"github.com/pmctl/pmctl/wallet/live"
)

// bare is the least HTTP server that could do a remote signer's job: it decodes requests, and
// answers with as many bytes. It signs nothing and records nothing.
func bare(ctx context.Context) error {
	answer := live.Answer{Payment: make([]byte, 430), SegCreds: make([]byte, 260), State: live.State{State: make([]byte, 470), Sig: make([]byte, 65)}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var request struct {
			Orchestrator, Capabilities []byte
			State                      live.State
			ManifestID                 string
			InPixels                   int64
		}
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(answer)
	})}
	context.AfterFunc(ctx, func() { server.Close() })
	return server.Serve(l)
}
