// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Controller
/// @notice The registry from which every other contract is found, and the switch
/// that pauses them all. Ids are keccak256 of a contract's name.
contract Controller {
    struct ContractInfo {
        address contractAddress;
        bytes20 gitCommitHash;
    }

    address public immutable owner;
    bool public paused;

    mapping(bytes32 => ContractInfo) private registry;

    event SetContractInfo(bytes32 id, address contractAddress, bytes20 gitCommitHash);
    event Paused(address account);
    event Unpaused(address account);

    modifier onlyOwner() {
        require(msg.sender == owner, "caller is not the owner");
        _;
    }

    constructor() {
        owner = msg.sender;
    }

    /// @notice Registers a contract; the zero address takes it out again.
    function setContractInfo(bytes32 _id, address _contractAddress, bytes20 _gitCommitHash) external onlyOwner {
        registry[_id] = ContractInfo(_contractAddress, _gitCommitHash);
        emit SetContractInfo(_id, _contractAddress, _gitCommitHash);
    }

    function pause() external onlyOwner {
        require(!paused, "system is paused");
        paused = true;
        emit Paused(msg.sender);
    }

    function unpause() external onlyOwner {
        require(paused, "system is not paused");
        paused = false;
        emit Unpaused(msg.sender);
    }

    /// @return The registered address, zero for an id that is not registered.
    function getContract(bytes32 _id) external view returns (address) {
        return registry[_id].contractAddress;
    }

    function getContractInfo(bytes32 _id) external view returns (address, bytes20) {
        ContractInfo storage info = registry[_id];
        return (info.contractAddress, info.gitCommitHash);
    }
}
