package cmd

import (
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/pmctl/pmctl/wallet/wei"
)

// TestSoakProcessesKeepTheBudget has sixteen processes at a time make batches until each is
// refused a single ticket. Together they have made what the budget pays for: not one
// ticket more, and not one less.
func TestSoakProcessesKeepTheBudget(t *testing.T) {
	t.Parallel()
	const processes = 16
	tickets := soakRuns(t, 20, 53, 400)
	onEachStore(t, func(t *testing.T, location string) {
		for _, budget := range []string{"ev_per_day", "recipient_face_value_per_day"} {
			t.Run(budget, func(t *testing.T) {
				if location != "" {
					location = server.Database(t)
				}
				m := newMinting(t, location, 1)
				line := "ticket batch --params " + m.sessions[0] + " -o ndjson --count "
				first := m.launch(t.Context(), line+"1")
				require.Equal(t, exitDone, first.code, first.errs)
				limit := costOf(t, m.header(first.out).TicketEVExact.String(), tickets)
				if budget != "ev_per_day" {
					limit = costOf(t, m.header(first.out).Offer.FaceValue.Decimal(), tickets)
				}
				store := ""
				if location != "" {
					store = fmt.Sprintf("store = %q\n", location) // in which the budget is counted
				}
				m.configure(store + "[budget]\n" + budget + " = \"" + limit.Decimal() + "wei\"\n")

				made := atomic.Int64{}
				made.Add(1)
				var group errgroup.Group
				for i := range processes {
					group.Go(func() error {
						for count := 1 + i%3; count > 0; {
							end := m.launch(t.Context(), line+fmt.Sprint(count))
							switch end.code {
							case exitDone:
								made.Add(int64(count))
							case exitLimit:
								count--
							default:
								return fmt.Errorf("exit code %d: %s", end.code, end.errs)
							}
						}
						return nil
					})
				}
				require.NoError(t, group.Wait())
				require.EqualValues(t, tickets, made.Load())
				require.Equal(t, tickets, m.ledger().check(t))
				require.EqualValues(t, tickets, m.shell.run(exitDone, "budget")["tickets"])
			})
		}
	})
}

// costOf is the smallest amount that pays for tickets of a value.
func costOf(t *testing.T, value string, tickets int) wei.Wei {
	v, ok := new(big.Rat).SetString(value)
	require.True(t, ok)
	cost, err := wei.Ceil(v.Mul(v, big.NewRat(int64(tickets), 1)))
	require.NoError(t, err)
	return cost
}

// configure writes the user's config file.
func (s *shell) configure(text string) {
	s.t.Helper()
	dir := s.t.TempDir()
	s.env["XDG_CONFIG_HOME"] = dir
	require.NoError(s.t, os.Mkdir(filepath.Join(dir, "pmctl"), 0o700))
	require.NoError(s.t, os.WriteFile(filepath.Join(dir, "pmctl", "config.toml"), []byte(text), 0o600))
}
