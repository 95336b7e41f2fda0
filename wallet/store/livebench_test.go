package store

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/live"
)

// BenchmarkLivePayments records payments of one ticket for many clients at once, each with a
// stream of its own, whose ticket params are fresh for each payment as they are from deployed
// orchestrators.
func BenchmarkLivePayments(b *testing.B) {
	for name, place := range places {
		for _, streams := range []int{1, 32, 128} {
			b.Run(fmt.Sprintf("%s/%d", name, streams), func(b *testing.B) {
				s := open(b, place(b))
				client, err := s.Clients().Add(b.Context(), Client{Name: "one", Terms: Terms{EVPerDay: worth(b, 1<<40)}})
				require.NoError(b, err)
				queue := livePayments(s).Queue()
				defer queue.Close()
				var wg sync.WaitGroup
				b.ResetTimer()
				for stream := range streams {
					wg.Go(func() {
						var state *live.Session
						for i := stream; i < b.N; i += streams {
							r := liveRequest(1, 1)
							r.Client, r.State, r.Info = client.ID, state, fmt.Sprint(i)
							r.Params.RecipientRandHash[2], r.Params.RecipientRandHash[3], r.Params.RecipientRandHash[4] = byte(i), byte(i>>8), byte(i>>16)
							r.At = liveDay.Add(time.Duration(i))
							p, err := queue.Pay(b.Context(), r)
							if err != nil {
								b.Error(err)
								return
							}
							state = p.Session
						}
					})
				}
				wg.Wait()
			})
		}
	}
}
