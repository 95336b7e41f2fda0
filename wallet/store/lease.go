package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// leasePrefix begins the meta names of leases. Such a row has the holder and the time, in
// milliseconds since 1970, at which the lease expires.
const leasePrefix = "lease/"

// Lease takes or renews a lease for holder, and reports whether holder has it: no other holder
// gets it before it expires. Clocks of machines may differ, so a lease saves doing something
// twice; it does not prevent it. With a lasting of 0 it is given up.
func (u *LiveUsage) Lease(ctx context.Context, name, holder string, at time.Time, lasting time.Duration) (held bool, err error) {
	err = u.store.writeFor(ctx, fmt.Sprintf("take the lease %q", name), func(tx *db.Tx) error {
		held = false
		var value string
		if _, err := tx.Row(selectMeta, leasePrefix+name).Find(&value); err != nil {
			return err
		}
		other, text, _ := strings.Cut(value, " ")
		millis, _ := strconv.ParseInt(text, 10, 64) // what cannot be read has expired
		expires := fromMillis(millis)
		// One that lasts much longer is of a clock that is wrong.
		if other != holder && (lasting == 0 || at.Before(expires) && expires.Sub(at) <= 2*lasting) {
			return errNothingTaken
		}
		if lasting == 0 {
			return tx.Exec(deleteMeta, leasePrefix+name)
		}
		held = true
		return tx.Exec(upsertMeta, leasePrefix+name, fmt.Sprintf("%s %d", holder, at.Add(lasting).UnixMilli()))
	})
	if errors.Is(err, errNothingTaken) {
		err = nil
	}
	return held && err == nil, err
}
