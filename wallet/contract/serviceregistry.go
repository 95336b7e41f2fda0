// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package contract

import (
	"bytes"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Reference imports to suppress errors if they are not otherwise used.
var (
	_ = bytes.Equal
	_ = errors.New
	_ = big.NewInt
	_ = common.Big1
	_ = types.BloomLookup
	_ = abi.ConvertType
)

// ServiceRegistryMetaData contains all meta data concerning the ServiceRegistry contract.
var ServiceRegistryMetaData = bind.MetaData{
	ABI: "[{\"type\":\"function\",\"name\":\"getServiceURI\",\"stateMutability\":\"view\",\"inputs\":[{\"name\":\"addr\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[{\"name\":\"\",\"type\":\"string\",\"internalType\":\"string\"}]}]",
	ID:  "ServiceRegistry",
}

// ServiceRegistry is an auto generated Go binding around an Ethereum contract.
type ServiceRegistry struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *ServiceRegistry) GetABI() abi.ABI {
	return c.abi
}

// NewServiceRegistry creates a new instance of ServiceRegistry.
func NewServiceRegistry() *ServiceRegistry {
	parsed, err := ServiceRegistryMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &ServiceRegistry{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *ServiceRegistry) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackGetServiceURI is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x214c2a4b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function getServiceURI(address addr) view returns(string)
func (serviceRegistry *ServiceRegistry) PackGetServiceURI(addr common.Address) []byte {
	enc, err := serviceRegistry.abi.Pack("getServiceURI", addr)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackGetServiceURI is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x214c2a4b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function getServiceURI(address addr) view returns(string)
func (serviceRegistry *ServiceRegistry) TryPackGetServiceURI(addr common.Address) ([]byte, error) {
	return serviceRegistry.abi.Pack("getServiceURI", addr)
}

// UnpackGetServiceURI is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x214c2a4b.
//
// Solidity: function getServiceURI(address addr) view returns(string)
func (serviceRegistry *ServiceRegistry) UnpackGetServiceURI(data []byte) (string, error) {
	out, err := serviceRegistry.abi.Unpack("getServiceURI", data)
	if err != nil {
		return *new(string), err
	}
	out0 := *abi.ConvertType(out[0], new(string)).(*string)
	return out0, nil
}
