package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/pay"
)

const (
	// lasts is how long each load of a remote signer is.
	lasts = 2 * time.Second

	// many is how many tickets a large payment has.
	many = 50
)

// server is a process that answers requests for payments.
type server struct {
	load
	process *exec.Cmd
	started time.Duration // until it was ready
}

// run puts the server under load, and returns the processor time of a call in microseconds.
func (s *server) run(ctx context.Context, clients int) (loaded, float64, error) {
	before, err := processorTime(s.process.Process.Pid)
	if err != nil {
		return loaded{}, 0, err
	}
	found, err := s.load.run(ctx, clients, lasts)
	if err != nil {
		return loaded{}, 0, err
	}
	after, err := processorTime(s.process.Process.Pid)
	return found, float64((after - before).Microseconds()) / float64(max(1, found.calls)), err
}

// with is the server under requests for payments of so many tickets.
func (s *server) with(tickets int64) *server {
	other := *s
	other.inPixels *= tickets
	return &other
}

// processorTime is what a process has used of it.
func processorTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name, in parentheses, may have spaces. User and system time are the 14th and 15th
	// fields, in ticks of 10 ms.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] {
		count, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += count
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// signers are the servers that are compared: the least one, and remote signers on a file and,
// unless its URL is "", on a PostgreSQL database.
type signers struct{ bare, file, database *server }

func (w *world) signers(ctx context.Context, database string) (_ *signers, err error) {
	s := new(signers)
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if _, err := os.Stat(filepath.Join(w.folder, "key")); errors.Is(err, os.ErrNotExist) {
		if _, err := w.output(ctx, "pmctl", "account", "export", "--raw", "--yes", "--out", "key"); err != nil {
			return nil, err
		}
	}
	if s.file, err = w.serveSigner(ctx, filepath.Join(w.folder, "signer.db")); err != nil {
		return nil, err
	}
	if database != "" {
		if s.database, err = w.serveSigner(ctx, database); err != nil {
			return nil, err
		}
	}
	s.bare = &server{load: s.file.load, process: exec.CommandContext(ctx, filepath.Join(w.folder, "pmctl-bench"), "http")}
	out, err := s.bare.process.StdoutPipe()
	if err == nil {
		err = s.bare.process.Start()
	}
	if err != nil {
		return nil, err
	}
	s.bare.address, err = bufio.NewReader(out).ReadString('\n')
	s.bare.address = strings.TrimSpace(s.bare.address)
	return s, err
}

func (s *signers) close() {
	for _, one := range []*server{s.bare, s.file, s.database} {
		if one != nil && one.process.Process != nil {
			_ = one.process.Process.Kill()
			_ = one.process.Wait()
		}
	}
}

// serveSigner starts a remote signer on a store, with one client. Its key is open at once.
func (w *world) serveSigner(ctx context.Context, store string) (*server, error) {
	env := append(slices.Clone(w.env), "PMCTL_STORE="+store, "GOGC=200") // as its unit sets it
	add := exec.CommandContext(ctx, filepath.Join(w.folder, "pmctl"), "signer", "client", "add", "studio", "--ev-per-day", "5eth", "-o", "json")
	add.Env, add.Dir, add.Stderr = env, w.folder, os.Stderr
	out, err := add.Output()
	if err != nil {
		return nil, err
	}
	var client struct{ Data struct{ Token string } }
	if err := json.Unmarshal(out, &client); err != nil {
		return nil, err
	}
	key, err := os.Open(filepath.Join(w.folder, "key"))
	if err != nil {
		return nil, err
	}
	defer key.Close()
	began := time.Now()
	s := &server{process: exec.CommandContext(ctx, filepath.Join(w.folder, "pmctl"),
		"signer", "serve", "--listen", "127.0.0.1:0", "--rate", "0", "--max-total-ev", "1eth", "--log", "json", "--key-fd", "3")}
	s.process.Env, s.process.Dir, s.process.ExtraFiles = env, w.folder, []*os.File{key}
	log, err := s.process.StderrPipe()
	if err == nil {
		err = s.process.Start()
	}
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		var line struct{ Msg, Listen string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "ready" {
			s.address = line.Listen
			break
		}
	}
	if s.started = time.Since(began); s.address == "" {
		return nil, fmt.Errorf("the signer did not start: %w", s.process.Wait())
	}
	go func() { // until the process ends
		for lines.Scan() {
			if strings.Contains(lines.Text(), `"level":"ERROR"`) {
				fmt.Fprintln(os.Stderr, lines.Text())
			}
		}
	}()
	s.token = client.Data.Token
	return s, s.fetch(ctx, w.recipient)
}

// fetch fetches an orchestrator's offer for the signer's account. A request is for one ticket.
func (s *server) fetch(ctx context.Context, orchestrator string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.address+"/sign-orchestrator-info", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var payer struct{ Address, Signature string }
	if err := json.NewDecoder(response.Body).Decode(&payer); err != nil {
		return err
	}
	u, err := pay.ParseURL(orchestrator)
	if err != nil {
		return err
	}
	client := pay.Client{}
	offer, err := client.Fetch(ctx, u, &wire.OrchestratorRequest{Address: common.HexToAddress(payer.Address).Bytes(), Sig: hexutil.MustDecode(payer.Signature)})
	if err != nil {
		return err
	}
	s.info = offer.Info
	params, err := offer.Info.Params()
	if err != nil {
		return err
	}
	price := s.info.PriceInfo
	pixels := new(big.Rat).Mul(params.EV(), big.NewRat(price.PixelsPerUnit, price.PricePerUnit))
	s.inPixels = new(big.Int).Quo(pixels.Num(), pixels.Denom()).Int64()
	return nil
}

// measureSigners prints what remote signers do in comparison with the least server and with
// signing alone.
func (w *world) measureSigners(ctx context.Context, database string, pairs int) error {
	s, err := w.signers(ctx, database)
	if err != nil {
		return err
	}
	defer s.close()
	var t table
	for i := range pairs + 1 {
		if i == 1 {
			t = table{} // the first one warms up
		}
		if err := s.pair(ctx, &t); err != nil {
			return err
		}
	}
	peak, err := peakMemory(s.file.process.Process.Pid)
	if err != nil {
		return err
	}
	t.print("remote signer, medians of " + strconv.Itoa(pairs))
	fmt.Printf("%-50s %11.1f MiB\n%-50s %11.1f ms\n", "peak of its memory", peak, "start to ready", milliseconds(s.file.started))
	return nil
}

// pair measures each row once.
func (s *signers) pair(ctx context.Context, t *table) error {
	const few, more = 32, 128
	least, leastCPU, err := s.bare.run(ctx, few)
	if err != nil {
		return err
	}
	file, fileCPU, err := s.file.run(ctx, few)
	if err != nil {
		return err
	}
	t.add("calls/s, 32 clients, SQLite / F", file.perSecond, least.perSecond, file.perSecond/least.perSecond)
	if s.database != nil {
		found, cpu, err := s.database.run(ctx, few)
		if err != nil {
			return err
		}
		t.add("calls/s, 32 clients, PostgreSQL / F", found.perSecond, least.perSecond, found.perSecond/least.perSecond)
		t.add("processor time a call on PostgreSQL, µs / F", cpu, leastCPU, cpu/leastCPU)
	}
	t.add("p99 at 32 clients, ms / F", milliseconds(file.p99), milliseconds(least.p99), file.p99.Seconds()/least.p99.Seconds())
	t.add("processor time a call, µs / F", fileCPU, leastCPU, fileCPU/leastCPU)
	crowd, _, err := s.file.run(ctx, more)
	if err != nil {
		return err
	}
	t.add("calls/s, 128 clients / 32 clients", crowd.perSecond, file.perSecond, crowd.perSecond/file.perSecond)
	leastAlone, _, err := s.bare.run(ctx, 1)
	if err != nil {
		return err
	}
	alone, _, err := s.file.run(ctx, 1)
	if err != nil {
		return err
	}
	t.add("p50 of 1 client, ms / F", milliseconds(alone.p50), milliseconds(leastAlone.p50), alone.p50.Seconds()/leastAlone.p50.Seconds())
	large, _, err := s.file.with(many).run(ctx, few)
	if err != nil {
		return err
	}
	const signatures = 40_000
	took, err := timed(func() error { return signAll(signatures) })(ctx)
	if err != nil {
		return err
	}
	tickets, raw := large.perSecond*many, signatures/took*1000
	t.add("tickets/s at 50 a call / R", tickets, raw, tickets/raw)
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// table is the rows of measurements that were made again and again.
type table struct {
	names []string
	rows  map[string][]result
}

func (t *table) add(name string, of, baseline, ratio float64) {
	if t.rows == nil {
		t.rows = make(map[string][]result)
	}
	if t.rows[name] == nil {
		t.names = append(t.names, name)
	}
	t.rows[name] = append(t.rows[name], result{of, baseline, ratio})
}

// print prints the medians.
func (t *table) print(title string) {
	fmt.Printf("\n%-50s %11s %11s %6s\n", title, "pmctl", "baseline", "ratio")
	for _, name := range t.names {
		var of, baseline, ratio []float64
		for _, r := range t.rows[name] {
			of, baseline, ratio = append(of, r.of), append(baseline, r.baseline), append(ratio, r.ratio)
		}
		fmt.Printf("%-50s %11.1f %11.1f %6.2f\n", name, median(of), median(baseline), median(ratio))
	}
}
