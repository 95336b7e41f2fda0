package admin

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"math/big"
	"net/http"
	"time"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/plot"
	"github.com/pmctl/pmctl/wallet/wei"
)

//go:embed page.html
var pageText string

//go:embed style.css
var style []byte

// The page loads its style and its picture from the listener and nothing else. The picture has a
// style of its own.
const (
	pagePolicy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	plotPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
)

// view is what the page shows.
type view struct {
	readiness
	Now      time.Time
	State    *wallet.SignerState
	Failed   error
	Budget   []shownAmount
	Clients  []shownClient
	Refusals []Refusal
	Sessions []shownSession
	Plot     bool
}

// shownAmount is what was spent, and of which limit; Limit and Left are "" without one.
type shownAmount struct {
	Name, Spent, Limit, Left string
	Permille                 int64
}

type shownClient struct {
	Name, State string
	Allowances  []shownAmount
}

type shownSession struct {
	ID, Client, Orchestrator, Type string
	Payments                       uint64
	Last                           time.Time
}

// Wei, Time, Ago and Outlook are for the page.
func (*view) Wei(amount *big.Int) string {
	if amount == nil {
		return "not known"
	}
	return wei.Format(new(big.Rat).SetInt(amount))
}

func (*view) Time(at time.Time) string { return at.UTC().Format(time.DateTime) }

func (*view) Ago(age time.Duration) string { return fmt.Sprintf("%.0f s old", age.Seconds()) }

func (v *view) Outlook() string {
	switch {
	case v.State.Runway != nil:
		return plot.Outlook(v.State.Runway)
	case v.State.RunwayErr != nil:
		return "not known: " + v.State.RunwayErr.Error()
	}
	return "no forecast yet"
}

// page shows the signer. What the store does not tell is left out.
func (c *Config) page(rw http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	v := &view{readiness: c.check(ctx), Refusals: c.Recorder.Refusals()}
	v.State, v.Failed = c.Signer.State(ctx)
	v.Now, v.Plot = v.State.Now, v.State.Runway != nil
	if v.Failed == nil {
		v.fill()
	}
	var text bytes.Buffer
	if err := template.Must(template.New("page").Parse(pageText)).Execute(&text, v); err != nil {
		refuse(rw, http.StatusInternalServerError, err)
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set("Content-Security-Policy", pagePolicy)
	_, _ = text.WriteTo(rw) // the caller is gone
}

// fill adds what is in the store.
func (v *view) fill() {
	s := v.State
	for _, line := range s.Budget.Lines {
		if line.Recipient == nil {
			name := map[string]string{wallet.SpentEV: "EV", wallet.SpentFaceValue: "Face value"}[line.Kind]
			v.Budget = append(v.Budget, amountOf(name, line.SpentExact.Rat, line.Limit, s.Budget.Left(line)))
		}
	}
	names := make(map[string]string)
	for _, client := range s.Clients {
		names[client.ID] = client.Name
		shown := shownClient{Name: client.Name, State: stateOf(client, s.Now)}
		titles := []string{"EV today", "Face value today", "Total EV"} // as the page's header has them
		for i, a := range wallet.SignerAllowances(client) {
			shown.Allowances = append(shown.Allowances, amountOf(titles[i], a.Spent, a.Limit, a.Left()))
		}
		v.Clients = append(v.Clients, shown)
	}
	for _, session := range s.Sessions {
		last := session.Last
		v.Sessions = append(v.Sessions, shownSession{
			last.Session.StateID, names[last.Client], last.Session.OrchestratorAddress.Hex(), string(last.Session.Type), last.Session.SequenceNumber + 1, last.At,
		})
	}
}

func amountOf(name string, spent *big.Rat, limit *wei.Wei, left *big.Rat) shownAmount {
	a := shownAmount{Name: name, Spent: plot.About(spent)}
	if limit == nil {
		return a
	}
	// What is left is not rounded up: a ticket of that much would be refused.
	whole := new(big.Int).Quo(left.Num(), left.Denom())
	a.Limit, a.Left, a.Permille = limit.String(), plot.About(new(big.Rat).SetInt(whole)), 1000
	if !limit.IsZero() {
		share := new(big.Rat).Quo(spent, limit.Rat())
		share.Mul(share, big.NewRat(1000, 1))
		a.Permille = min(1000, new(big.Int).Quo(share.Num(), share.Denom()).Int64())
	}
	return a
}

func stateOf(client wallet.SignerAccount, now time.Time) string {
	switch {
	case !client.RevokedAt.IsZero():
		return "revoked"
	case !client.ExpiresAt.IsZero() && !client.ExpiresAt.After(now):
		return "expired"
	}
	return "active"
}

func (c *Config) picture(rw http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	state, _ := c.Signer.State(ctx) // the forecast is not in the store
	if state.Runway == nil {
		http.NotFound(rw, r)
		return
	}
	var text bytes.Buffer
	if err := plot.Runway(state.Runway).Write(&text); err != nil {
		refuse(rw, http.StatusInternalServerError, err)
		return
	}
	rw.Header().Set("Content-Type", "image/svg+xml")
	rw.Header().Set("Content-Security-Policy", plotPolicy)
	_, _ = text.WriteTo(rw) // the caller is gone
}

func stylesheet(rw http.ResponseWriter, _ *http.Request) {
	rw.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = rw.Write(style)
}
