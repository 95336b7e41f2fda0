package devnet

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"
)

// genesisBaseFee is about a rollup's: 0.1 gwei.
const genesisBaseFee = 100_000_000

// fullNode is a whole Ethereum node in this process and in memory, which seals blocks on
// command.
type fullNode struct {
	stack  *node.Node
	eth    *eth.Ethereum
	beacon *catalyst.SimulatedBeacon
	client *ethclient.Client // in-process
}

// nodeConfig has a fullNode's settings.
type nodeConfig struct {
	chainID  uint64
	port     int // of HTTP and WebSocket on 127.0.0.1; 0 takes a free one
	alloc    types.GenesisAlloc
	coinbase common.Address
}

// newFullNode assembles a node. start starts it.
func newFullNode(cfg nodeConfig) (*fullNode, error) {
	// A node that cannot open its port does not stop what it has started. So check the port
	// first.
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(cfg.port)))
	if err != nil {
		return nil, fmt.Errorf("JSON-RPC: %w", err)
	}
	if err := listener.Close(); err != nil {
		return nil, err
	}

	modules := []string{"eth", "net", "web3", "txpool", "debug"}
	stack, err := node.New(&node.Config{
		Name:             "pmctl-devnet",
		P2P:              p2p.Config{NoDiscovery: true, NoDial: true},
		HTTPHost:         "127.0.0.1",
		HTTPPort:         cfg.port,
		HTTPModules:      modules,
		HTTPVirtualHosts: []string{"localhost"},
		HTTPTimeouts:     rpc.DefaultHTTPTimeouts,
		WSHost:           "127.0.0.1",
		WSPort:           cfg.port, // the same port serves both
		WSModules:        modules,
	})
	if err != nil {
		return nil, err
	}
	conf := ethconfig.Defaults
	conf.Genesis = genesis(cfg)
	conf.NetworkId = cfg.chainID
	conf.SyncMode = ethconfig.FullSync
	conf.TxPool.NoLocals = true
	conf.LogNoHistory = true
	conf.Miner.Etherbase = cfg.coinbase
	// A block takes all that is pending, however long this machine stalls meanwhile: what is left
	// out waits for a block that no one may request.
	conf.Miner.Recommit = time.Hour
	backend, err := eth.New(stack, &conf)
	if err != nil {
		return nil, errors.Join(err, stack.Close())
	}
	return &fullNode{stack: stack, eth: backend}, nil
}

func genesis(cfg nodeConfig) *core.Genesis {
	rules := *params.AllDevChainProtocolChanges
	rules.ChainID = new(big.Int).SetUint64(cfg.chainID)
	rules.BogotaTime = nil // not in force anywhere yet

	alloc := core.SystemContractAllocs()
	maps.Copy(alloc, cfg.alloc)
	return &core.Genesis{
		Config:   &rules,
		GasLimit: ethconfig.Defaults.Miner.GasCeil,
		BaseFee:  big.NewInt(genesisBaseFee),
		Alloc:    alloc,
	}
}

// start serves JSON-RPC: the node's own methods, with overrides for methods of the same name.
func (n *fullNode) start(coinbase common.Address, overrides func(*filters.FilterSystem) (any, error)) error {
	system := filters.NewFilterSystem(n.eth.APIBackend, filters.Config{})
	service, err := overrides(system)
	if err != nil {
		return err
	}
	n.stack.RegisterAPIs([]rpc.API{
		{Namespace: "eth", Service: filters.NewFilterAPI(system)},
		{Namespace: "eth", Service: service},
	})
	if err := n.stack.Start(); err != nil {
		return err
	}
	n.client = ethclient.NewClient(n.stack.Attach())
	beacon, err := catalyst.NewSimulatedBeacon(0, coinbase, n.eth)
	if err != nil {
		return err
	}
	n.beacon = beacon
	// The node counts as unsynced until a chain head is set.
	if err := beacon.Fork(n.eth.BlockChain().GetCanonicalHash(0)); err != nil {
		return err
	}
	return n.settle()
}

// settle waits until the pool has caught up with the chain. A transaction that arrives while
// the pool catches up may be delayed until the block after next. Only one goroutine at a time
// may wait here: the pool forgets all but the last.
func (n *fullNode) settle() error {
	return n.eth.TxPool().Sync()
}

// seal makes a block of the pool's transactions. Like settle, it is for one goroutine at a
// time.
func (n *fullNode) seal() error {
	before := n.head()
	n.beacon.Commit() // reports failure only to the log
	if after := n.head(); after != before+1 {
		return fmt.Errorf("block %d was not sealed: the chain is at %d", before+1, after)
	}
	return n.settle()
}

// rewind makes an earlier block the latest. Like settle, it is for one goroutine at a time.
func (n *fullNode) rewind(number uint64) error {
	n.beacon.Rollback() // no fork while transactions are pending
	if err := n.beacon.Fork(n.eth.BlockChain().GetCanonicalHash(number)); err != nil {
		return fmt.Errorf("go back to block %d: %w", number, err)
	}
	if err := n.settle(); err != nil {
		return err
	}
	n.beacon.Rollback() // mined transactions are pending again
	return nil
}

// head is the number of the latest block.
func (n *fullNode) head() uint64 {
	return n.eth.BlockChain().CurrentBlock().Number.Uint64()
}

// pending counts the transactions that the next block can take. Like settle, it is
// for one goroutine at a time.
func (n *fullNode) pending() (int, error) {
	if err := n.settle(); err != nil {
		return 0, err
	}
	count, _ := n.eth.TxPool().Stats()
	return count, nil
}

// close ends the node and everything that it runs.
func (n *fullNode) close() error {
	var err error
	if n.client != nil {
		n.client.Close()
	}
	if n.beacon != nil {
		err = n.beacon.Stop()
	}
	return errors.Join(err, n.stack.Close())
}
