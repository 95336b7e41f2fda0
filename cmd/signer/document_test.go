package signer

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/page"
)

// TestClientsOfTheList: a client that has expired is not active.
func TestClientsOfTheList(t *testing.T) {
	now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	later := now.Add(time.Hour)
	var b strings.Builder
	writeClients(&page.Page{Writer: &b, Width: 80}, []clientDocument{
		{Name: "batch"}, {Name: "studio", ExpiresAt: later}, {Name: "trial", ExpiresAt: now}, {Name: "nina", ExpiresAt: later, RevokedAt: now},
	}, now)
	var lines []string
	for line := range strings.Lines(b.String()) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	require.Equal(t, []string{
		"CLIENT STATE UNTIL EV PER DAY FACE VALUE PER DAY TOTAL EV",
		"batch active",
		"studio active 2026-11-27T10:00:00Z",
		"trial expired 2026-11-27T09:00:00Z",
		"nina revoked 2026-11-27T09:00:00Z",
	}, lines)
}
