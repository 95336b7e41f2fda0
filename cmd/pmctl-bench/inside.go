package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/store"
)

// insideRows are parts of a process's work.
func (w *world) insideRows(ctx context.Context, long bool) ([]row, error) {
	raw, err := os.ReadFile(filepath.Join(w.folder, "key"))
	if err != nil {
		return nil, err
	}
	signer, err := keystore.NewRawSigner(raw)
	if err != nil {
		return nil, err
	}
	spareProcessors()
	counts := []int{1, 10, 600, 100_000}
	if long {
		counts = append(counts, 1_000_000)
	}
	var rows []row
	for _, form := range []string{format.NDJSON, format.JSON, format.Payment} {
		for _, count := range counts {
			if form == format.Payment && count > maxInHeader {
				continue
			}
			rows = append(rows, row{
				name: fmt.Sprintf("mint of %d, %s / raw signing", count, form),
				of:   timed(func() error { return mintTo(ctx, io.Discard, signer, form, count) }), baseline: timed(func() error { return signAll(count) }),
				rate: true,
			})
		}
	}
	const some = 100_000
	rows = append(rows, row{
		name: "allocations a ticket / a bare signature", unit: none, once: true,
		of:       allocations(some, func() error { return mintTo(ctx, io.Discard, signer, format.NDJSON, some) }),
		baseline: allocations(some, func() error { return signAll(some) }),
	})
	reserve, err := w.storeRows(ctx)
	return append(rows, reserve...), err
}

// maxInHeader is about how many tickets fit into an HTTP header.
const maxInHeader = 10_000

// mintTo makes a batch as ticket batch does after reserving its nonces.
func mintTo(ctx context.Context, out io.Writer, signer pm.Signer, form string, count int) error {
	params, nonces := someParams(), pm.NonceRange{First: 1, Count: uint32(count)}
	header, err := format.NewBatchHeader(signer.Account().Address, params, *params.ExpirationParams, nonces)
	if err != nil {
		return err
	}
	writer, err := format.NewBatchWriter(out, form)
	if err != nil {
		return err
	}
	if err := writer.Begin(header); err != nil {
		return err
	}
	if err := pm.Mint(ctx, signer, params, nil, nonces, writer.Ticket); err != nil {
		return err
	}
	return writer.End()
}

// timed returns the duration of do, in milliseconds.
func timed(do func() error) func(context.Context) (float64, error) {
	return func(context.Context) (float64, error) {
		start := time.Now()
		err := do()
		return float64(time.Since(start).Microseconds()) / 1000, err
	}
}

// allocations returns how often do allocates memory, for each of count.
func allocations(count int, do func() error) func(context.Context) (float64, error) {
	return func(context.Context) (float64, error) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := do()
		runtime.ReadMemStats(&after)
		return float64(after.Mallocs-before.Mallocs) / float64(count), err
	}
}

// storeRows are reservations of nonces, compared with the minimum that is as durable: one
// synced write.
func (w *world) storeRows(ctx context.Context) ([]row, error) {
	opened, err := store.Open(ctx, filepath.Join(w.folder, "bench.db"))
	if err != nil {
		return nil, err
	}
	key, err := crypto.GenerateKey()
	if err != nil {
		return nil, err
	}
	sender := crypto.PubkeyToAddress(key.PublicKey)
	session := 0
	reserve := func(count int) func() error {
		return func() error {
			spends := make([]store.Spend, count)
			for i := range spends {
				session++
				params := someParams()
				params.RecipientRandHash = common.BigToHash(common.Big32)
				params.RecipientRandHash[0], params.RecipientRandHash[1], params.RecipientRandHash[2] = byte(session), byte(session>>8), byte(session>>16)
				spends[i] = store.Spend{Sender: sender, Params: params, Count: 100, Cap: 600}
			}
			outcomes, err := opened.Chain(1337).ReserveAll(ctx, spends)
			if err != nil {
				return err
			}
			return outcomes[len(outcomes)-1].Err
		}
	}
	file, err := os.Create(filepath.Join(w.folder, "page"))
	if err != nil {
		return nil, err
	}
	page := make([]byte, 4096)
	durable := func() error {
		if _, err := file.Write(page); err != nil {
			return err
		}
		return file.Sync()
	}
	return []row{
		{name: "reservation for a batch / a durable write", of: timed(reserve(1)), baseline: timed(durable)},
		{name: "reservation for 128 batches / a durable write", of: timed(reserve(128)), baseline: timed(durable)},
	}, nil
}
