package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
)

// orchestrator serves a list of runners, with a certificate of its own as they all have.
func orchestrator(t *testing.T, answer http.HandlerFunc) pay.URL {
	t.Helper()
	server := httptest.NewTLSServer(answer)
	t.Cleanup(server.Close)
	u, err := pay.ParseURL(server.URL)
	require.NoError(t, err)
	return u
}

// TestRunners: a list as a deployed orchestrator has it, which is written as it was read.
func TestRunners(t *testing.T) {
	list, err := os.ReadFile("testdata/discovery.json")
	require.NoError(t, err)
	u := orchestrator(t, func(rw http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/discovery", r.URL.Path)
		_, _ = rw.Write(list)
	})
	client := Client{HTTP: pay.HTTPClient()}
	runners, err := client.Runners(t.Context(), u)
	require.NoError(t, err)
	require.Len(t, runners, 3)
	again, err := json.Marshal(runners)
	require.NoError(t, err)
	require.JSONEq(t, string(list), string(again))

	price, kind, err := runners[0].Price.Rat()
	require.NoError(t, err)
	require.Equal(t, live.Seconds, kind)
	require.Equal(t, "486111111111", price.RatString())
	for i, want := range []string{"1749999999999600", "", "499953254400000"} {
		hour, counts := runners[i].Price.PerHour()
		require.Equal(t, want != "", counts)
		if counts {
			require.Equal(t, want, hour.RatString())
		}
	}
	require.Equal(t, SingleShot, runners[1].Mode)
}

// TestRunnersThatCannotBeUsed: one of them says nothing about the others.
func TestRunnersThatCannotBeUsed(t *testing.T) {
	const good = `{"url":"https://o/apps/a","app":"a","mode":"persistent","price_info":{"price":%s,"currency":"wei","unit":"seconds"},"more":1}`
	lists := []string{`1`, `null`, `"x"`, `{}`, fmt.Sprintf(good, "0"), fmt.Sprintf(good, "-1"), fmt.Sprintf(good, `1e999999999`), fmt.Sprintf(good, `true`)}
	for old, replaced := range map[string]string{"persistent": "other", "wei": "usd", "seconds": "hours", "https://o/apps/a": "", `"app":"a"`: `"app":""`} {
		lists = append(lists, strings.Replace(fmt.Sprintf(good, "1"), old, replaced, 1))
	}
	lists = append(lists, fmt.Sprintf(good, "1.5"))
	u := orchestrator(t, func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(rw, "[%s]", strings.Join(lists, ","))
	})
	client := Client{HTTP: pay.HTTPClient()}
	runners, err := client.Runners(t.Context(), u)
	require.NoError(t, err)
	require.Len(t, runners, 1)
	price, _, err := runners[0].Price.Rat()
	require.NoError(t, err)
	require.Equal(t, big.NewRat(3, 2), price)
}

// TestRunnersThatAreNotPaid: an app at a price that the signer refuses is not offered.
func TestRunnersThatAreNotPaid(t *testing.T) {
	list, err := os.ReadFile("testdata/discovery.json")
	require.NoError(t, err)
	u := orchestrator(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/discovery" {
			_, _ = rw.Write(list)
		}
	})
	a := Asker{Offers: &pay.Client{}, Runners: Client{HTTP: pay.HTTPClient()}, Pays: func(p Price) bool { return p.Unit == live.Fixed.Unit() }}
	offered, err := a.Ask(t.Context(), u)
	require.ErrorIs(t, err, pay.ErrNotRecipient, "the other part")
	require.Nil(t, offered.Models)
	require.Len(t, offered.Runners, 1)
	require.Equal(t, SingleShot, offered.Runners[0].Mode)
}

func TestNoRunners(t *testing.T) {
	large := "[" + strings.Repeat(`"x",`, maxList) + "]"
	for name, answer := range map[string]http.HandlerFunc{
		"not found":  http.NotFound,
		"no list":    func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, `{}`) },
		"too large":  func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, large) },
		"elsewhere":  func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/other", http.StatusFound) },
		"hangs up":   func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"no content": func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNoContent) },
	} {
		t.Run(name, func(t *testing.T) {
			u := orchestrator(t, answer)
			client := Client{HTTP: pay.HTTPClient()}
			_, err := client.Runners(t.Context(), u)
			require.ErrorContains(t, err, "cannot list the runners of the orchestrator at "+u.String()+": ")
			require.Equal(t, name == "no list" || name == "too large", errors.Is(err, pay.ErrMalformed))
			require.NotRegexp(t, "json|request body", err.Error())
		})
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := fmt.Errorf("interrupted")
	cancel(why)
	client := Client{HTTP: pay.HTTPClient()}
	_, err := client.Runners(ctx, orchestrator(t, http.NotFound))
	require.ErrorIs(t, err, why)
}

// TestALongPriceIsNotReduced: it is refused by its length. Reducing a fraction of millions of digits would
// take minutes, and of any number of them more memory than refusing it.
func TestALongPriceIsNotReduced(t *testing.T) {
	price := Price{Amount: json.Number("0." + strings.Repeat("7", 1000)), Currency: "wei", Unit: "seconds"}
	allocations := testing.AllocsPerRun(10, func() {
		_, _, err := price.Rat()
		require.ErrorIs(t, err, ErrPrice)
	})
	require.Less(t, allocations, 10.0)
}
