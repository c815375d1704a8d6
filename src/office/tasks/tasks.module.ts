import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Task } from './task.entity.js';
import { TasksService } from './tasks.service.js';
import { TasksTools } from './tasks.tools.js';

/** The tasks of each person. */
@Module({
  imports: [TypeOrmModule.forFeature([Task])],
  providers: [TasksService, TasksTools],
})
export class TasksModule {}
