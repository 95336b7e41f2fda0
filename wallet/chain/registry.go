package chain

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"golang.org/x/sync/errgroup"

	"github.com/pmctl/pmctl/wallet/contract"
)

// Contracts are where a network's contracts are.
type Contracts struct {
	Controller      common.Address
	TicketBroker    common.Address
	RoundsManager   common.Address
	BondingManager  common.Address
	ServiceRegistry common.Address
}

// Contracts finds the network's contracts, once, in one request: it checks that the node
// serves the network's chain, that the controller is there, and that the contracts are the
// known ones. It fails with *ChainIDError, *NoContractError, *ContractsError and
// ErrUnreachable.
func (c *Client) Contracts(ctx context.Context) (Contracts, error) {
	if known := c.verified(); known != nil {
		return *known, nil
	}
	found := Contracts{Controller: c.network.Controller}
	b := new(batch)
	c.registry(b, &found)
	if err := c.do(ctx, b); err != nil {
		return Contracts{}, err
	}
	return found, c.learn(ctx, found)
}

// Located tells whether the contracts' addresses are known or remembered: what is read of
// them then needs no request before.
func (c *Client) Located() bool {
	_, ok := c.recall()
	return ok || c.verified() != nil
}

// Meet returns the newest block, and does what Contracts does, in one request: refused is
// the error that Contracts fails with when the node answers.
func (c *Client) Meet(ctx context.Context) (head Head, refused, err error) {
	found := Contracts{Controller: c.network.Controller}
	b := new(batch)
	b.head(&head)
	checks := len(b.elems)
	c.registry(b, &found)
	if err := c.send(ctx, b); err != nil {
		return Head{}, nil, err
	}
	if err := c.settle(b, 0, checks); err != nil {
		return Head{}, nil, err
	}
	if err := c.settle(b, checks, len(b.elems)); err != nil {
		return head, err, nil
	}
	return head, c.learn(ctx, found), nil
}

// ask reads what build adds for the network's contracts, in one request where their
// addresses are known or remembered. What is remembered is looked up in the registry in
// the same request, and what was read is thrown away, and read again, where it is not so.
func (c *Client) ask(ctx context.Context, build func(*batch, Contracts)) (Contracts, error) {
	return c.askBeside(ctx, build, func(context.Context, Contracts) {})
}

// askBeside is ask, with beside called at the same time as the request is made. Like what
// was read, what it does for other contracts than the network's is done again.
func (c *Client) askBeside(ctx context.Context, build func(*batch, Contracts), beside func(context.Context, Contracts)) (Contracts, error) {
	if guess, ok := c.recall(); ok && c.verified() == nil {
		found := Contracts{Controller: c.network.Controller}
		b := new(batch)
		c.registry(b, &found)
		checks := len(b.elems)
		build(b, guess)
		if err := c.sendBeside(ctx, b, func(ctx context.Context) { beside(ctx, guess) }); err != nil {
			return Contracts{}, err
		}
		if err := c.settle(b, 0, checks); err != nil {
			return Contracts{}, err
		}
		if err := c.learn(ctx, found); err != nil {
			return Contracts{}, err
		}
		if found == guess {
			return found, c.settle(b, checks, len(b.elems))
		}
	}
	contracts, err := c.Contracts(ctx)
	if err != nil {
		return Contracts{}, err
	}
	b := new(batch)
	build(b, contracts)
	if err := c.sendBeside(ctx, b, func(ctx context.Context) { beside(ctx, contracts) }); err != nil {
		return Contracts{}, err
	}
	return contracts, c.settle(b, 0, len(b.elems))
}

// sendBeside is send, with beside called at the same time. It returns when both are done;
// where send fails, the context of beside ends.
func (c *Client) sendBeside(ctx context.Context, b *batch, beside func(context.Context)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.send(ctx, b) })
	group.Go(func() error { beside(ctx); return nil })
	return group.Wait()
}

// namedContract is an address with the name that the registry knows it by.
type namedContract struct {
	name    string
	address *common.Address
}

// named are the addresses that the registry knows by name.
func (c *Contracts) named() []namedContract {
	return []namedContract{
		{"TicketBroker", &c.TicketBroker},
		{"RoundsManager", &c.RoundsManager},
		{"BondingManager", &c.BondingManager},
		{"ServiceRegistry", &c.ServiceRegistry},
	}
}

// registry appends what finds the contracts, and tells whether this is their network.
func (c *Client) registry(b *batch, into *Contracts) {
	id, code := new(hexutil.Big), new(hexutil.Bytes)
	b.add("eth_chainId", id)
	b.decode[len(b.decode)-1] = func() error {
		if got := (*big.Int)(id); !got.IsUint64() || got.Uint64() != c.network.ChainID {
			return &ChainIDError{Network: c.network.Name, URL: c.URL(), Got: got.Uint64(), Want: c.network.ChainID}
		}
		return nil
	}
	b.add("eth_getCode", code, c.network.Controller, "latest")
	b.decode[len(b.decode)-1] = func() error {
		if len(*code) == 0 {
			return &NoContractError{Name: "Controller", Network: c.network.Name, Address: c.network.Controller}
		}
		return nil
	}
	controller := contract.NewController()
	for _, n := range into.named() {
		call(b, c.network.Controller, controller.PackGetContract(contractID(n.name)), controller.UnpackGetContract, n.address)
	}
}

// verified returns the contracts once this client has found them in the registry.
func (c *Client) verified() *Contracts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.contracts
}

// learn keeps what the registry says, if the network's known contracts are there.
func (c *Client) learn(ctx context.Context, found Contracts) error {
	for _, n := range found.named() {
		if *n.address == (common.Address{}) {
			return &NoContractError{Name: n.name, Network: c.network.Name}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.hold(ctx, found); err != nil {
		return err
	}
	c.contracts = &found
	if c.known.Contracts != found {
		c.known.Contracts = found
		c.remember()
	}
	return nil
}
