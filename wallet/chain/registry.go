package chain

import (
	"context"
	"fmt"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
	"golang.org/x/sync/errgroup"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/contract"
)

// Contracts are the addresses of a network's contracts.
type Contracts struct {
	Controller      common.Address
	TicketBroker    common.Address
	RoundsManager   common.Address
	BondingManager  common.Address
	ServiceRegistry common.Address
}

// registry is a client's knowledge of the contracts' addresses.
type registry struct {
	network Network

	mu       sync.Mutex
	found    *Contracts // once read from the registry
	expected Contracts  // where they must be; zero if that is unknown
	pins     Pins       // nil if the client pins nothing
	accept   bool       // whether others may replace the pinned ones
}

// Contracts looks up the network's contracts, once, in one request: it checks that the node
// serves the network's chain, that the controller exists, and that the contracts are the known
// ones. It fails with *ChainIDError, *ContractsError and ErrUnreachable.
func (c *Client) Contracts(ctx context.Context) (Contracts, error) {
	if found, _ := c.registry.known(); found != nil {
		return *found, nil
	}
	found := Contracts{Controller: c.network.Controller}
	b := new(batch)
	b.registry(c.network, &found)
	if err := c.Do(ctx, &b.Batch); err != nil {
		return Contracts{}, err
	}
	return found, c.learn(ctx, found)
}

// Located reports whether the contracts' addresses are known or remembered, so that reads need
// no extra request.
func (c *Client) Located() bool {
	found, expected := c.registry.known()
	return found != nil || c.guess(expected) != Contracts{}
}

// guess returns the known contracts, or else the remembered ones; zero if there are neither.
func (c *Client) guess(expected Contracts) Contracts {
	if expected != (Contracts{}) {
		return expected
	}
	return c.memory.recall().Contracts
}

// Meet returns the newest block and does what Contracts does, in one request. refused is the
// error of Contracts if the node answers.
func (c *Client) Meet(ctx context.Context) (head Head, refused, err error) {
	found := Contracts{Controller: c.network.Controller}
	newest, checks := new(batch), new(batch)
	newest.Head(&head)
	checks.registry(c.network, &found)
	if err := c.Send(ctx, &newest.Batch, &checks.Batch); err != nil {
		return Head{}, nil, err
	}
	if err := newest.Settle(); err != nil {
		return Head{}, nil, err
	}
	if err := checks.Settle(); err != nil {
		return head, err, nil
	}
	return head, c.learn(ctx, found), nil
}

// ask sends the reads of build for the network's contracts, in one request if their addresses
// are known or remembered. The same request looks remembered ones up in the registry, and if
// they are wrong the reads are repeated.
func (c *Client) ask(ctx context.Context, build func(*batch, Contracts)) (Contracts, error) {
	return c.askBeside(ctx, build, func(context.Context, Contracts) {})
}

// askBeside is ask, with beside called during the request, in a context that ends if the
// request fails. Like the reads, it is repeated for the right contracts.
func (c *Client) askBeside(ctx context.Context, build func(*batch, Contracts), beside func(context.Context, Contracts)) (Contracts, error) {
	read := func(checks *batch, at Contracts) (*batch, error) {
		b := new(batch)
		build(b, at)
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return c.Send(ctx, &checks.Batch, &b.Batch) })
		group.Go(func() error { beside(ctx, at); return nil })
		return b, group.Wait()
	}
	found, expected := c.registry.known()
	if guess := c.guess(expected); found == nil && guess != (Contracts{}) {
		named, checks := Contracts{Controller: c.network.Controller}, new(batch)
		checks.registry(c.network, &named)
		b, err := read(checks, guess)
		if err == nil {
			err = checks.Settle()
		}
		if err == nil {
			err = c.learn(ctx, named)
		}
		if err != nil {
			return Contracts{}, err
		}
		if named == guess {
			return named, b.Settle()
		}
	}
	contracts, err := c.Contracts(ctx)
	if err != nil {
		return Contracts{}, err
	}
	b, err := read(new(batch), contracts)
	if err != nil {
		return Contracts{}, err
	}
	return contracts, b.Settle()
}

// learn stores the registry's addresses, if they match the known ones.
func (c *Client) learn(ctx context.Context, found Contracts) error {
	if err := c.registry.hold(ctx, found, c.URL()); err != nil {
		return err
	}
	c.memory.learn(func(known *remembered) bool {
		changed := known.Contracts != found
		known.Contracts = found
		return changed
	})
	return nil
}

// namedContract is an address with its name in the registry.
type namedContract struct {
	name    string
	address *common.Address
}

// named are the addresses that the registry has by name.
func (c *Contracts) named() []namedContract {
	return []namedContract{
		{"TicketBroker", &c.TicketBroker},
		{"RoundsManager", &c.RoundsManager},
		{"BondingManager", &c.BondingManager},
		{"ServiceRegistry", &c.ServiceRegistry},
	}
}

const checkController = "check --controller and --network: all contracts are looked up in that controller"

// registry appends the look-up of the contracts. The nodes' client checks the chain ID.
func (b *batch) registry(network Network, into *Contracts) {
	b.Add("eth_chainId", new(hexutil.Big))
	code := new(hexutil.Bytes)
	b.AddDecoded("eth_getCode", code, func() error {
		if len(*code) == 0 {
			return hint.With(fmt.Errorf("there is no Controller contract at %s on %s: the address has no code", network.Controller, network.Name), checkController)
		}
		return nil
	}, network.Controller, "latest")
	controller := contract.NewController()
	for _, n := range into.named() {
		// The controller's key for a contract is the hash of its name.
		call(b, network.Controller, controller.PackGetContract(crypto.Keccak256Hash([]byte(n.name))), controller.UnpackGetContract, n.address)
	}
}

// known returns the contracts as found in the registry, and where they must be; nil and zero if
// unknown.
func (r *registry) known() (found *Contracts, expected Contracts) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.found, r.expected
}

// hold compares a node's contracts with the known ones, and keeps them.
func (r *registry) hold(ctx context.Context, found Contracts, url string) error {
	for _, n := range found.named() {
		if *n.address == (common.Address{}) {
			return hint.With(fmt.Errorf("the controller of %s has no %s registered", r.network.Name, n.name), checkController)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.expected
	if known == (Contracts{}) && r.pins != nil {
		pinned, err := r.pins.PinContracts(ctx, found)
		if err != nil {
			return err
		}
		known = pinned // another run may just have pinned others
	}
	if known != (Contracts{}) && known != found {
		if !r.accept {
			return &ContractsError{Network: r.network.Name, URL: url, BuiltIn: r.network.BuiltIn(), Changes: known.changes(found)}
		}
		if err := r.pins.ReplaceContracts(ctx, found); err != nil {
			return err
		}
		known = found
	}
	r.expected, r.found = known, &found
	return nil
}
