package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/chain"
)

// version7 adds where each network's contracts are. A chain may have several networks:
// each has a controller of its own.
var version7 = []string{
	`CREATE TABLE contracts (
		chain_id         TEXT   NOT NULL,
		controller       TEXT   NOT NULL,
		ticket_broker    TEXT   NOT NULL,
		rounds_manager   TEXT   NOT NULL,
		bonding_manager  TEXT   NOT NULL,
		service_registry TEXT   NOT NULL,
		pinned_at        BIGINT NOT NULL,
		PRIMARY KEY (chain_id, controller)
	)`,
}

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

var _ chain.Pins = (*Chain)(nil)

// Contracts returns the addresses that are pinned for the network with a controller, and
// false when none are.
func (c *Chain) Contracts(ctx context.Context, controller common.Address) (pinned chain.Contracts, ok bool, err error) {
	err = c.store.read(ctx, func(tx *sql.Tx) (err error) {
		pinned, ok, err = contractsOf(ctx, tx, c.id, controller)
		return err
	})
	return pinned, ok, err
}

// PinContracts pins a network's contracts, unless some are pinned already. It returns
// those that are pinned then.
func (c *Chain) PinContracts(ctx context.Context, found chain.Contracts) (pinned chain.Contracts, err error) {
	err = c.store.write(ctx, func(tx *sql.Tx) (err error) {
		if err := c.writeContracts(ctx, tx, pinContracts, found); err != nil {
			return err
		}
		pinned, _, err = contractsOf(ctx, tx, c.id, found.Controller)
		return err
	})
	if err != nil {
		err = fmt.Errorf("pin the contracts of %v: %w", found.Controller, err)
	}
	return pinned, err
}

// ReplaceContracts pins a network's contracts in place of those that were pinned.
func (c *Chain) ReplaceContracts(ctx context.Context, found chain.Contracts) error {
	err := c.store.write(ctx, func(tx *sql.Tx) error {
		return c.writeContracts(ctx, tx, replaceContracts, found)
	})
	if err != nil {
		err = fmt.Errorf("replace the pinned contracts of %v: %w", found.Controller, err)
	}
	return err
}

func (c *Chain) writeContracts(ctx context.Context, tx *sql.Tx, statement string, found chain.Contracts) error {
	_, err := tx.ExecContext(ctx, statement, c.id, found.Controller.Hex(), found.TicketBroker.Hex(), found.RoundsManager.Hex(),
		found.BondingManager.Hex(), found.ServiceRegistry.Hex(), time.Now().UnixMilli())
	return err
}

// contractsOf fails with ErrDamaged for what is no address.
func contractsOf(ctx context.Context, tx *sql.Tx, chainID string, controller common.Address) (chain.Contracts, bool, error) {
	var texts [4]string
	err := scanRow(tx.QueryRowContext(ctx, selectContracts, chainID, controller.Hex()), &texts[0], &texts[1], &texts[2], &texts[3])
	if errors.Is(err, sql.ErrNoRows) {
		return chain.Contracts{}, false, nil
	}
	if err != nil {
		return chain.Contracts{}, false, fmt.Errorf("read the pinned contracts of %v: %w", controller, err)
	}
	pinned := chain.Contracts{Controller: controller}
	for i, into := range []*common.Address{&pinned.TicketBroker, &pinned.RoundsManager, &pinned.BondingManager, &pinned.ServiceRegistry} {
		if *into = common.HexToAddress(texts[i]); into.Hex() != texts[i] {
			return chain.Contracts{}, false, fmt.Errorf("%w: a pinned contract of %v is %.50q", ErrDamaged, controller, texts[i])
		}
	}
	return pinned, true, nil
}

// PinnedContracts returns the addresses that the store at a location has pinned for a
// network, and false when it has none. Unlike Open it creates and changes nothing; where
// there is no store, nothing is pinned. It fails as Open does.
func PinnedContracts(ctx context.Context, location string, chainID uint64, controller common.Address) (pinned chain.Contracts, ok bool, err error) {
	if err := present(location); errors.Is(err, ErrNoStore) {
		return chain.Contracts{}, false, nil
	}
	s, err := connect(location, nil)
	if err != nil {
		return chain.Contracts{}, false, err
	}
	defer s.Close()
	err = s.read(ctx, func(tx *sql.Tx) error {
		if _, _, err := s.inspect(ctx, tx); err != nil {
			return err
		}
		// An empty file and an older version's store have no such table.
		names, err := s.backend.tables(ctx, tx)
		if err != nil || !slices.Contains(names, "contracts") {
			return err
		}
		pinned, ok, err = contractsOf(ctx, tx, strconv.FormatUint(chainID, 10), controller)
		return err
	})
	if err != nil {
		return chain.Contracts{}, false, withPath(s.mark.judge(err), s.path)
	}
	return pinned, ok, nil
}
