package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
)

// load sends requests for payments over connections that stay open, each as soon as the one
// before is answered. It speaks just enough HTTP, so that most of the machine is left to the
// server.
type load struct {
	address, token string
	info           *wire.OrchestratorInfo
	inPixels       int64
}

// loaded is what came of a load: answers a second, and how long they took.
type loaded struct {
	calls     int
	perSecond float64
	p50, p99  time.Duration
}

func (l load) run(ctx context.Context, clients int, lasts time.Duration) (loaded, error) {
	times, errs := make([][]time.Duration, clients), make([]error, clients)
	began := time.Now()
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() { times[i], errs[i] = l.stream(ctx, began.Add(lasts)) })
	}
	all.Wait()
	took := time.Since(began)
	if err := errors.Join(errs...); err != nil {
		return loaded{}, err
	}
	sorted := slices.Sorted(slices.Values(slices.Concat(times...)))
	if len(sorted) == 0 {
		return loaded{}, errors.New("no request was answered")
	}
	return loaded{len(sorted), float64(len(sorted)) / took.Seconds(), sorted[len(sorted)/2], sorted[len(sorted)*99/100]}, nil
}

// stream pays one orchestrator until a moment, from one state to the next. Each request has
// fresh ticket params, as from deployed orchestrators.
func (l load) stream(ctx context.Context, until time.Time) (times []time.Duration, err error) {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", l.address)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	answers := bufio.NewReader(connection)
	info := proto.CloneOf(l.info)
	state, manifest := []byte("null"), rand.Text()
	var request, body bytes.Buffer
	for time.Now().Before(until) && ctx.Err() == nil {
		_, _ = rand.Read(info.TicketParams.RecipientRandHash)
		encoded, err := proto.Marshal(info)
		if err != nil {
			return nil, err
		}
		body.Reset()
		fmt.Fprintf(&body, `{"orchestrator":"%s","inPixels":%d,"ManifestID":"%s","state":%s}`, base64.StdEncoding.EncodeToString(encoded), l.inPixels, manifest, state)
		request.Reset()
		fmt.Fprintf(&request, "POST /generate-live-payment HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			l.address, l.token, body.Len(), body.Bytes())
		sent := time.Now()
		if _, err := request.WriteTo(connection); err != nil {
			return nil, err
		}
		answer, err := readAnswer(answers)
		if err != nil {
			return nil, err
		}
		times = append(times, time.Since(sent))
		_, after, found := bytes.Cut(bytes.TrimSpace(answer), []byte(`"state":`))
		if !found {
			return nil, fmt.Errorf("no state in %s", answer)
		}
		state = bytes.TrimSuffix(after, []byte("}"))
	}
	return times, ctx.Err()
}

// readAnswer returns the body of an answer with status 200.
func readAnswer(r *bufio.Reader) ([]byte, error) {
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return body, err
}
