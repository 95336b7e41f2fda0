package admin

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/pmctl/pmctl/internal/metrics"
	"github.com/pmctl/pmctl/wallet"
)

// replicaDocument is a replica in the answer of /replicas.
type replicaDocument struct {
	Host      string              `json:"host"`
	Version   string              `json:"version"`
	State     wallet.ReplicaState `json:"state"`
	StartedAt time.Time           `json:"started_at"`
	SeenAt    time.Time           `json:"seen_at"`
	StoppedAt time.Time           `json:"stopped_at,omitzero"`
	Own       bool                `json:"own,omitempty"`
}

func (c *Config) replicas(rw http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	state, err := c.Signer.State(ctx)
	if err != nil {
		refuse(rw, http.StatusServiceUnavailable, err)
		return
	}
	all := make([]replicaDocument, len(state.Replicas))
	for i, one := range state.Replicas {
		all[i] = replicaDocument{one.Host, one.Version, one.State, one.StartedAt, one.SeenAt, one.StoppedAt, one.Own}
	}
	respond(rw, http.StatusOK, struct {
		Replicas []replicaDocument `json:"replicas"`
	}{all})
}

func replicaMetrics(all []wallet.SignerReplica) metrics.Metric {
	count := make(map[wallet.ReplicaState]int)
	for _, one := range all {
		count[one.State]++
	}
	m := metrics.Gauge("pmctl_signer_replicas", "Signers of the account on the store that were seen within the last hour, by state.")
	for _, state := range []wallet.ReplicaState{wallet.ReplicaAlive, wallet.ReplicaSilent, wallet.ReplicaStopped} {
		m.Samples = append(m.Samples, metrics.Sample{Labels: metrics.Label("state", string(state)), Value: strconv.Itoa(count[state])})
	}
	return m
}
