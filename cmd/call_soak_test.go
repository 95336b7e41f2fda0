package cmd

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
)

// TestSoakManyCalls has many processes at once make single calls within a budget that does not
// suffice for all: each call that is answered has paid one ticket, the recipient has exactly those,
// and the budget holds to the ticket.
func TestSoakManyCalls(t *testing.T) {
	t.Parallel()
	const processes = 32
	calls := soakRuns(t, 40, 200, 10000)
	most := calls * 9 / 10
	s := newShell(t, devnet.Config{Recipients: 1})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	full, err := http.Post(s.net.ControlURL()+"/recipients/0/runner?name=fixed1&capacity=64", "", nil)
	require.NoError(t, err)
	require.NoError(t, full.Body.Close())
	require.Equal(t, http.StatusOK, full.StatusCode)
	s.configure(fmt.Sprintf("[budget]\nev_per_day = \"%d gwei\"\n", most*1000+500))
	line := "call " + s.net.Recipients()[0].State().URL + "/apps/fixed1/app/ -d x --request-id call-"

	var done atomic.Int64
	var group errgroup.Group
	group.SetLimit(processes)
	for i := range calls {
		group.Go(func() error {
			switch end := s.launch(t.Context(), line+fmt.Sprint(i)); {
			case end.code == exitDone && end.out == "x":
				done.Add(1)
			case end.code != exitLimit:
				return fmt.Errorf("call %d: exit code %d: %s%s", i, end.code, end.out, end.errs)
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	require.EqualValues(t, most, done.Load(), "the budget is used up to the last ticket")
	response, err := http.Get(s.net.Recipients()[0].State().StatusURL)
	require.NoError(t, err)
	defer response.Body.Close()
	var status recipient.Status
	require.NoError(t, json.NewDecoder(response.Body).Decode(&status))
	require.EqualValues(t, most, status.Tickets.Accepted)
	require.EqualValues(t, most, s.run(exitDone, "budget")["tickets"])
}
