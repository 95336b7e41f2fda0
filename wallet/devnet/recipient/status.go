package recipient

import (
	"context"
	"encoding/json"
	"net/http"
)

// Status returns the recipient's present status.
func (r *Recipient) Status() Status {
	winners, err := r.winners.All(context.Background())
	if err != nil {
		r.ledger.fail(err)
	}
	status := r.ledger.status()
	status.Address, status.URL, status.PlainURL = r.Address(), r.URL(), r.PlainURL()
	status.Sessions = r.runners.Sessions()
	status.Faults, status.Held = r.faults.list(), r.held.Load()
	for i := range winners {
		status.addWinner(&winners[i])
	}
	return status
}

func (r *Recipient) serveStatus(w http.ResponseWriter, _ *http.Request) {
	body, err := json.MarshalIndent(r.Status(), "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n'))
}
