package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// bulkConfig lifts the limits for batches.
const bulkConfig = `[limits]
max_ticket_ev = "1eth"
max_total_ev = "1000000eth"
nonce_cap = 4000000000
`

// bulkRows are batches that take little but signatures.
func (w *world) bulkRows(ctx context.Context, long bool) ([]row, error) {
	config := filepath.Join(w.folder, "bulk", "pmctl")
	if err := os.MkdirAll(config, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(config, "config.toml"), []byte(bulkConfig), 0o600); err != nil {
		return nil, err
	}
	if _, err := w.output(ctx, "pmctl", "account", "export", "--raw", "--yes", "--out", "key"); err != nil {
		return nil, err
	}
	params, err := w.output(ctx, "pmctl", "params", "fetch", w.recipient, "-o", "json")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(w.folder, "bulk.json"), params, 0o600); err != nil {
		return nil, err
	}
	if err := w.install(); err != nil {
		return nil, err
	}
	const some, many = 100_000, 1_000_000
	lines := some / 100
	if long {
		lines = 10_000
	}
	if err := w.writeSessions(params, lines); err != nil {
		return nil, err
	}
	lifted := "XDG_CONFIG_HOME=" + filepath.Join(w.folder, "bulk")
	if err := w.run(mint(some, "ndjson", "batch.ndjson"), lifted)(ctx); err != nil {
		return nil, err
	}
	least := func(name string, count int) func(context.Context) (float64, error) {
		return w.process([]string{filepath.Join(w.folder, "pmctl-bench"), name, strconv.Itoa(count)})
	}
	rows := []row{
		{name: "mint of 100k, ndjson / raw signing", of: w.process(mint(some, "ndjson", "/dev/null"), lifted), baseline: least("sign", some), rate: true},
		{name: "mint of 100k, ndjson / the loop on one core", of: w.process(mint(some, "ndjson", "/dev/null"), lifted), baseline: least("loop", some), rate: true},
		{
			name: "verify of 100k, ndjson / raw recovery",
			of:   w.process([]string{filepath.Join(w.folder, "pmctl"), "ticket", "verify", "batch.ndjson"}), baseline: least("recover", some), rate: true,
		},
		{
			name:     fmt.Sprintf("%d params × 100, payments / one batch", lines),
			of:       w.process([]string{"sh", "-c", "pmctl ticket batch --stream --params sessions.ndjson --count 100 -o payment --key-fd 3 3<key >/dev/null"}, lifted),
			baseline: w.process(mint(lines*100, "ndjson", "/dev/null"), lifted), rate: true,
		},
		{name: "memory at 1M / at 100k", of: w.memory(many, lifted), baseline: w.memory(some, lifted), unit: "MiB", once: true},
	}
	if long {
		rows = append(rows, row{name: "memory at 10M / at 1M", of: w.memory(10*many, lifted), baseline: w.memory(many, lifted), unit: "MiB", once: true})
	}
	return rows, nil
}

// mint is a batch whose key comes from a descriptor.
func mint(count int, form, out string) []string { return mintWith("pmctl", count, form, out) }

func mintWith(program string, count int, form, out string) []string {
	return []string{"sh", "-c", fmt.Sprintf("exec %s ticket batch --params bulk.json --count %d -o %s --key-fd 3 3<key >%s", program, count, form, out)}
}

// writeSessions writes params of that many sessions, as if of different recipients.
func (w *world) writeSessions(params []byte, count int) error {
	var document struct {
		Data struct {
			Params struct {
				Hash string `json:"recipient_rand_hash"`
			} `json:"ticket_params"`
		} `json:"data"`
	}
	if err := json.Unmarshal(params, &document); err != nil {
		return err
	}
	var line, all bytes.Buffer
	if err := json.Compact(&line, params); err != nil {
		return err
	}
	for range count {
		var hash [32]byte
		if _, err := rand.Read(hash[:]); err != nil {
			return err
		}
		all.Write(bytes.ReplaceAll(line.Bytes(), []byte(document.Data.Params.Hash), []byte("0x"+hex.EncodeToString(hash[:]))))
		all.WriteByte('\n')
	}
	return os.WriteFile(filepath.Join(w.folder, "sessions.ndjson"), all.Bytes(), 0o600)
}
