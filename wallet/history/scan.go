package history

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/chain"
)

// Node is what a scan reads; *chain.Client implements it.
type Node interface {
	Head(ctx context.Context) (chain.Head, error)
	SenderLogs(ctx context.Context, sender common.Address, first, last uint64) ([]types.Log, error)
	Blocks(ctx context.Context, numbers ...uint64) ([]chain.Block, error)
}

// Scan is a sender's events in the blocks From to To-1. To may be beyond the head: an earlier scan
// may have had a newer one.
type Scan struct {
	From, To uint64
	// Logs are in the chain's order, with their blocks' times.
	Logs []types.Log
	// Head is the newest block that was read.
	Head chain.Head
	// NotKept is why the next scan must read the same blocks again; nil if the events are saved. It
	// has a hint.
	NotKept error
}

const (
	// final is how many of the newest blocks are not saved, since a reorg may replace them: what
	// Ethereum needs to finalize a block.
	final = 64
	// The first request is for all blocks. If it is refused, firstSpan limits the next one; after
	// that, a refusal halves the span and an answer doubles it.
	firstSpan = 1 << 20
	// patience is how many answers in a row allow a span that was refused before: some nodes limit
	// events and not blocks.
	patience = 32
	// askTimeout limits one request. A node that needs longer gets smaller requests.
	askTimeout = 30 * time.Second
	// restarts is how often a scan starts again because the newest blocks were replaced.
	restarts = 3
	// saveEvery is the most requests whose results are lost if the process is killed.
	saveEvery = 64
)

// ErrReplaced is returned if the newest blocks are replaced repeatedly while they are read.
var ErrReplaced = errors.New("the chain's newest blocks were replaced while they were read")

// Scanner reads a sender's events.
type Scanner struct {
	Node   Node
	Sender common.Address

	// Newest is the newest block; if zero, the node is asked.
	Newest chain.Head

	// Cache saves the events; nil saves none.
	Cache *Cache

	done, total atomic.Uint64
}

// Progress returns how many of the blocks are read. It is safe for concurrent use.
func (s *Scanner) Progress() (done, total uint64) { return s.done.Load(), s.total.Load() }

// Scan reads the events from a block on. It continues where an earlier scan ended, even after an
// error. It returns the errors of Node and ErrReplaced.
func (s *Scanner) Scan(ctx context.Context, from uint64) (*Scan, error) {
	head := s.Newest
	for range restarts {
		if head == (chain.Head{}) {
			var err error
			if head, err = s.Node.Head(ctx); err != nil {
				return nil, err
			}
		}
		scan, err := s.scan(ctx, head, from)
		if !errors.Is(err, ErrReplaced) {
			return scan, err
		}
		head = chain.Head{} // it has been replaced
	}
	return nil, ErrReplaced
}

func (s *Scanner) scan(ctx context.Context, head chain.Head, from uint64) (*Scan, error) {
	p := &pass{Scanner: s, span: math.MaxUint64, refused: math.MaxUint64, Scan: &Scan{Head: head}}
	if head.Number >= final {
		p.kept = head.Number - final + 1
	}
	if err := p.begin(ctx); err != nil {
		return nil, err
	}
	// Both directions extend what is already read, so an interrupted scan leaves no gap.
	s.done.Store(0)
	s.total.Store(p.From - min(p.From, from) + head.Number + 1 - min(p.To, head.Number+1))
	err := p.read(ctx, from, head.Number+1)
	if err != nil {
		if p.Cache != nil {
			// Save what was read, after an interrupt as well.
			late, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout/6)
			defer cancel()
			_, _ = p.save(late)
		}
		return p.Scan, err
	}
	end, err := p.save(ctx)
	if err == nil && end.Hash != head.Hash {
		err = ErrReplaced
	}
	return p.Scan, err
}

// pass is one run over the blocks that are not read yet.
type pass struct {
	*Scanner
	*Scan
	// kept is the first block that is too new to be saved.
	kept uint64
	// span is the size of the next request in blocks, refused one that was too large.
	span, refused uint64
	// answers counts the answers since the last refusal, asked all requests.
	answers, asked int
}

// begin continues from the cache, if the chain still has its last block.
func (p *pass) begin(ctx context.Context) error {
	p.From, p.To = p.Head.Number+1, p.Head.Number+1
	if p.Cache == nil {
		return nil
	}
	known, hash := p.Cache.load()
	if known == nil || known.To == 0 {
		return nil
	}
	last, err := p.Node.Blocks(ctx, known.To-1)
	if err != nil {
		return err
	}
	if last[0].Hash == hash {
		p.From, p.To, p.Logs = known.From, known.To, known.Logs
	}
	return nil
}

// read reads the missing blocks of a range: first those older than what is known.
func (p *pass) read(ctx context.Context, from, to uint64) error {
	for p.From > from || p.To < to {
		older := p.From > from
		first, n := p.To, min(p.span, to-p.To)
		if older {
			n = min(p.span, p.From-from)
			first = p.From - n
		}
		logs, err := p.ask(ctx, first, n)
		switch {
		case err != nil:
			return err
		case logs == nil:
			continue
		case older:
			p.From, p.Logs = first, append(logs, p.Logs...)
		default:
			p.To, p.Logs = p.To+n, append(p.Logs, logs...)
		}
		p.done.Add(n)
		if p.asked++; p.asked%saveEvery == 0 {
			if _, err := p.save(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// ask reads n blocks. If those were too many, it returns nil and reduces the span.
func (p *pass) ask(ctx context.Context, first, n uint64) ([]types.Log, error) {
	one, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	found, err := p.Node.SenderLogs(one, p.Sender, first, first+n-1)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, err
	case errors.Is(err, chain.ErrTooMuch) && n > 1:
		p.refused, p.span, p.answers = n, min(n/2, firstSpan), 0
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the events in blocks %d to %d: %w", first, first+n-1, err)
	}
	if p.answers++; p.answers >= patience {
		p.refused, p.answers = math.MaxUint64, 0
	}
	if p.span <= math.MaxUint64/4 && p.span*2 < p.refused {
		p.span *= 2
	}
	return p.timed(ctx, found)
}

// timed sets the logs' times to those of their blocks.
func (p *pass) timed(ctx context.Context, logs []types.Log) ([]types.Log, error) {
	var numbers []uint64
	for i, log := range logs {
		if i == 0 || log.BlockNumber != logs[i-1].BlockNumber {
			numbers = append(numbers, log.BlockNumber)
		}
	}
	blocks, err := p.Node.Blocks(ctx, numbers...)
	if err != nil {
		return nil, err
	}
	timed := make([]types.Log, 0, len(logs)) // never nil
	for _, log := range logs {
		if blocks[0].Number != log.BlockNumber {
			blocks = blocks[1:]
		}
		if blocks[0].Hash != log.BlockHash {
			return nil, ErrReplaced
		}
		log.BlockTimestamp = uint64(blocks[0].Time.Unix())
		timed = append(timed, log)
	}
	return timed, nil
}

// save stores what is old enough, and returns the current newest block.
func (p *pass) save(ctx context.Context) (chain.Block, error) {
	old := &Scan{From: p.From, To: min(p.To, p.kept)}
	keeps := p.Cache != nil && old.From < old.To
	numbers := []uint64{p.Head.Number}
	if keeps {
		numbers = append(numbers, old.To-1)
	}
	now, err := p.Node.Blocks(ctx, numbers...)
	if err != nil {
		return chain.Block{}, err
	}
	if keeps {
		for _, log := range p.Logs {
			if log.BlockNumber < old.To {
				old.Logs = append(old.Logs, log)
			}
		}
		p.NotKept = p.Cache.store(old, now[1].Hash)
	}
	return now[0], nil
}
