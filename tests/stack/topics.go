package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

// event is one message of a topic.
type event struct {
	key   string
	cloud map[string]any
}

func (e event) id() string { return fmt.Sprint(e.cloud["id"]) }

func settings() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.V3_6_0_0
	config.Net.DialTimeout = 2 * time.Second
	return config
}

func createTopics() error {
	admin, err := sarama.NewClusterAdmin([]string{loopback(kafkaPort)}, settings())
	if err != nil {
		return err
	}
	defer admin.Close()
	there, err := admin.ListTopics()
	for topic, partitions := range topics {
		if _, exists := there[topic]; err == nil && !exists {
			detail := &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1}
			err = admin.CreateTopic(topic, detail, false)
		}
	}
	return err
}

// read returns everything that stands in topic now.
func read(topic string) ([]event, error) {
	client, err := sarama.NewClient([]string{loopback(kafkaPort)}, settings())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return nil, err
	}
	var all []event
	for partition := range topics[topic] {
		end, err := client.GetOffset(topic, partition, sarama.OffsetNewest)
		if err != nil {
			return nil, err
		}
		if end == 0 {
			continue
		}
		part, err := consumer.ConsumePartition(topic, partition, sarama.OffsetOldest)
		if err != nil {
			return nil, err
		}
		for message := range part.Messages() {
			found := event{key: string(message.Key)}
			if err := json.Unmarshal(message.Value, &found.cloud); err != nil {
				return nil, fmt.Errorf("%s: an event that is no JSON: %w", topic, err)
			}
			all = append(all, found)
			if message.Offset >= end-1 {
				break
			}
		}
		part.Close()
	}
	return all, nil
}

// ids of the events on topic.
func ids(topic string) (map[string]event, error) {
	all, err := read(topic)
	found := map[string]event{}
	for _, e := range all {
		found[e.id()] = e
	}
	return found, err
}
