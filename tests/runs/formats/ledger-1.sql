PRAGMA application_id = 1094997587;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE facts (run TEXT REFERENCES runs, name TEXT, value TEXT NOT NULL, PRIMARY KEY (run, name));
INSERT INTO "facts" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1','model.family','"bert"');
INSERT INTO "facts" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1','model.kind','"encoder"');
INSERT INTO "facts" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1','model.layers','12');
INSERT INTO "facts" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1','data.samples','67349');
INSERT INTO "facts" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1','data.task','"classification"');
INSERT INTO "facts" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1','device.kind','"cpu"');
CREATE TABLE gates (run TEXT REFERENCES runs, place INTEGER, name TEXT NOT NULL, demanded TEXT NOT NULL, value REAL,
        passed INTEGER NOT NULL, PRIMARY KEY (run, place));
INSERT INTO "gates" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',0,'relative_accuracy','>= 0.95',9.77777777777777745704e-01,1);
INSERT INTO "gates" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',1,'int8 accuracy','>= 0.99',0.9877,0);
CREATE TABLE quantities (run TEXT, step INTEGER, place INTEGER, name TEXT NOT NULL, value REAL,
        why_not TEXT NOT NULL, source TEXT NOT NULL, low REAL, high REAL, predicted_low REAL, predicted_high REAL,
        PRIMARY KEY (run, step, place), FOREIGN KEY (run, step) REFERENCES steps);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',0,0,'relative_accuracy',1.0,'','',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',0,1,'relative_size',1.0,'','weights on disk',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',0,2,'relative_time',1.0,'','median of 9 paired rounds',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',0,3,'relative_emissions',1.0,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',0,4,'latency_ms',12.5,'','median of 50 single requests',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',0,5,'latency_p95_ms',15.5,'','95th percentile of 50 single requests',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',0,6,'throughput',80.0,'','batches of 32',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',0,7,'emissions_without_idle',0.9,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',0,8,'wh_per_1000',0.2,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',0,9,'idle_wh_per_1000',0.1,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',0,10,'g_per_1000',0.0112,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',0,11,'wh_to_make',120.5,'','codecarbon',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',0,12,'g_to_make',6.75,'','codecarbon',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',1,0,'relative_accuracy',7.77777777777777679091e-01,'','872 report rows',7.67777777777777670209e-01,7.87777777777777687973e-01,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',1,1,'relative_size',0.741,'','weights on disk',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',1,2,'relative_time',0.8,'','median of 9 paired rounds',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',1,3,'relative_emissions',0.78,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',1,4,'latency_ms',10.0,'','median of 50 single requests',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',1,5,'latency_p95_ms',12.4,'','95th percentile of 50 single requests',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',1,6,'throughput',100.0,'','batches of 32',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',1,7,'emissions_without_idle',7.02000000000000068389e-01,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',1,8,'wh_per_1000',1.56000000000000027533e-01,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',1,9,'idle_wh_per_1000',7.80000000000000137667e-02,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',1,10,'g_per_1000',0.008736,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',1,11,'wh_to_make',NULL,'not measured yet','',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',1,12,'g_to_make',NULL,'not measured yet','',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',2,0,'relative_accuracy',0.99,'','872 report rows',0.98,1.0,0.97,1.0);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',2,1,'relative_size',0.741,'','weights on disk',NULL,NULL,0.741,0.741);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',2,2,'relative_time',0.8,'','median of 9 paired rounds',NULL,NULL,0.67,0.87);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',2,3,'relative_emissions',0.78,'','codecarbon, power modelled, grid of FRA',NULL,NULL,0.65,0.87);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',2,4,'latency_ms',10.0,'','median of 50 single requests',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',2,5,'latency_p95_ms',12.4,'','95th percentile of 50 single requests',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',2,6,'throughput',100.0,'','batches of 32',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',2,7,'emissions_without_idle',7.02000000000000068389e-01,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',2,8,'wh_per_1000',1.56000000000000027533e-01,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',2,9,'idle_wh_per_1000',7.80000000000000137667e-02,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',2,10,'g_per_1000',0.008736,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',2,11,'wh_to_make',120.5,'','codecarbon',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',2,12,'g_to_make',6.75,'','codecarbon',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',3,0,'relative_accuracy',9.77777777777777745704e-01,'','872 report rows',9.67777777777777736822e-01,9.87777777777777754586e-01,0.97,1.0);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',3,1,'relative_size',0.187,'','weights on disk',NULL,NULL,0.18,0.41);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',3,2,'relative_time',0.31,'','median of 9 paired rounds',NULL,NULL,0.19,0.3);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',3,3,'relative_emissions',0.33,'','codecarbon, power modelled, grid of FRA',NULL,NULL,0.2,0.52);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',3,4,'latency_ms',3.875,'','median of 50 single requests',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',3,5,'latency_p95_ms',4.805,'','95th percentile of 50 single requests',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',3,6,'throughput',2.58064516129032256236e+02,'','batches of 32',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',3,7,'emissions_without_idle',2.97000000000000041744e-01,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',3,8,'wh_per_1000',0.066,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',3,9,'idle_wh_per_1000',0.033,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',3,10,'g_per_1000',0.003696,'','codecarbon, power modelled, grid of FRA',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',3,11,'wh_to_make',NULL,'not measured yet','',NULL,NULL,NULL,NULL);
INSERT INTO "quantities" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',3,12,'g_to_make',NULL,'not measured yet','',NULL,NULL,NULL,NULL);
CREATE TABLE runs (id TEXT PRIMARY KEY, finished TEXT NOT NULL, name TEXT NOT NULL, model TEXT NOT NULL,
        family TEXT NOT NULL, device TEXT NOT NULL, train_on TEXT NOT NULL, data TEXT NOT NULL,
        data_sha256 TEXT NOT NULL, samples INTEGER, eval_samples INTEGER NOT NULL, machine TEXT NOT NULL,
        seconds REAL NOT NULL, passed INTEGER NOT NULL, summary TEXT NOT NULL, policy TEXT NOT NULL,
        policy_version TEXT NOT NULL, policy_sha256 TEXT NOT NULL, recipe TEXT NOT NULL);
INSERT INTO "runs" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1','2026-11-24T12:00:00+00:00','bert-sst2','bert-base-uncased','bert','cpu','cpu','sst2','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd',67349,872,'AMD EPYC, 2 threads',310.0,0,'keeps 97.8 % of the accuracy at 31 % of the time','','','','version: 1
name: "bert-sst2"
model: {source: "bert-base-uncased", family: "bert"}
data: {source: "sst2", task: classification, samples: 67349}
device: cpu
goal: {relative_accuracy: ">= 0.95"}
steps:
  - finetune: {epochs: 3}
  - layer_removal: {keep: 8}
  - distillation: {epochs: 9}
  - quantization: {}
training: {seed: 0}
');
CREATE TABLE steps (run TEXT REFERENCES runs, place INTEGER, name TEXT NOT NULL, words TEXT NOT NULL, level TEXT,
        int8 INTEGER NOT NULL, parameters INTEGER NOT NULL, predicted_parameters INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL, metric TEXT NOT NULL, score REAL NOT NULL, seconds REAL NOT NULL,
        PRIMARY KEY (run, place));
INSERT INTO "steps" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',0,'finetune','fine-tuned','',0,109483778,109483778,437951328,'accuracy',0.9,60.0);
INSERT INTO "steps" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',1,'layer_removal','8 layers','L1',0,109483778,109483778,324521934,'accuracy',0.7,60.0);
INSERT INTO "steps" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',2,'distillation','distilled','L1',0,109483778,109483778,324521934,'accuracy',0.891,60.0);
INSERT INTO "steps" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1',3,'quantization','int8','L1',1,40946932,40946932,81896898,'accuracy',0.88,60.0);
CREATE TABLE versions (run TEXT REFERENCES runs, package TEXT, version TEXT NOT NULL, PRIMARY KEY (run, package));
INSERT INTO "versions" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1','advise','0.1.0');
INSERT INTO "versions" VALUES('f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1','torch','2.13.0');
COMMIT;
