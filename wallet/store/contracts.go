package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	insertContracts = `INSERT INTO contracts
		(chain_id, controller, ticket_broker, rounds_manager, bonding_manager, service_registry, pinned_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (chain_id, controller) DO `
	pinContracts     = insertContracts + `NOTHING`
	replaceContracts = insertContracts + `UPDATE SET ticket_broker = excluded.ticket_broker, rounds_manager = excluded.rounds_manager,
		bonding_manager = excluded.bonding_manager, service_registry = excluded.service_registry, pinned_at = excluded.pinned_at`
	selectContracts = `SELECT ticket_broker, rounds_manager, bonding_manager, service_registry FROM contracts
		WHERE chain_id = $1 AND controller = $2`
)

// Contracts implements chain.Pins.
func (c *Chain) Contracts(ctx context.Context, controller common.Address) (pinned chain.Contracts, ok bool, err error) {
	err = c.store.db.ReadOnce(ctx, func(tx *db.Tx) (err error) {
		pinned, ok, err = contractsOf(tx, c.id, controller)
		return err
	})
	return pinned, ok, err
}

// PinContracts implements chain.Pins.
func (c *Chain) PinContracts(ctx context.Context, found chain.Contracts) (pinned chain.Contracts, err error) {
	err = c.store.writeFor(ctx, fmt.Sprintf("pin the contracts of %v", found.Controller), func(tx *db.Tx) (err error) {
		if err := c.writeContracts(tx, pinContracts, found); err != nil {
			return err
		}
		pinned, _, err = contractsOf(tx, c.id, found.Controller)
		return err
	})
	return pinned, err
}

// ReplaceContracts implements chain.Pins.
func (c *Chain) ReplaceContracts(ctx context.Context, found chain.Contracts) error {
	return c.store.writeFor(ctx, fmt.Sprintf("replace the pinned contracts of %v", found.Controller), func(tx *db.Tx) error {
		return c.writeContracts(tx, replaceContracts, found)
	})
}

func (c *Chain) writeContracts(tx *db.Tx, statement string, found chain.Contracts) error {
	return tx.Exec(statement, c.id, found.Controller.Hex(), found.TicketBroker.Hex(), found.RoundsManager.Hex(),
		found.BondingManager.Hex(), found.ServiceRegistry.Hex(), time.Now().UnixMilli())
}

// contractsOf fails with ErrDamaged for a value that is not an address.
func contractsOf(tx *db.Tx, chainID string, controller common.Address) (pinned chain.Contracts, ok bool, err error) {
	var texts [4]string
	ok, err = tx.Row(selectContracts, chainID, controller.Hex()).Find(&texts[0], &texts[1], &texts[2], &texts[3])
	if err != nil {
		return pinned, false, fmt.Errorf("read the pinned contracts of %v: %w", controller, err)
	}
	if !ok {
		return pinned, false, nil
	}
	pinned.Controller = controller
	for i, into := range []*common.Address{&pinned.TicketBroker, &pinned.RoundsManager, &pinned.BondingManager, &pinned.ServiceRegistry} {
		if *into = common.HexToAddress(texts[i]); into.Hex() != texts[i] {
			return chain.Contracts{}, false, fmt.Errorf("%w: a pinned contract of %v is %.50q", ErrDamaged, controller, texts[i])
		}
	}
	return pinned, true, nil
}

// PinnedContracts returns the addresses that the store at a location has pinned for a network, and
// false if it has none. Unlike Open it neither creates nor changes a store. It fails as Open does.
func PinnedContracts(ctx context.Context, location string, chainID uint64, controller common.Address) (pinned chain.Contracts, ok bool, err error) {
	err = look(ctx, location, nil, func(s *Store, tx *db.Tx, _ int) error {
		// A store of an older version has no such table.
		names, err := s.db.Tables(tx)
		if err != nil || !slices.Contains(names, "contracts") {
			return err
		}
		pinned, ok, err = contractsOf(tx, strconv.FormatUint(chainID, 10), controller)
		return err
	})
	if errors.Is(err, ErrNoStore) {
		err = nil
	}
	return pinned, ok, err
}
